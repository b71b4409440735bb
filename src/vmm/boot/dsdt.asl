// The machine's devices that ACPI has to name: those of a PC without a PCI bus. Their registers and interrupts are
// those of src/devices; the power-off value is the one that the ACPI PM device takes.
DefinitionBlock ("dsdt.aml", "DSDT", 2, "KVMBCH", "KVMBENCH", 1)
{
    // Soft off: SLP_TYP 5 in PM1a_CNT (ACPI 6.4, 7.4.2). PM1b is not there.
    Name (\_S5, Package (4) { 5, 0, 0, 0 })

    Scope (\_SB)
    {
        Device (COM1)
        {
            Name (_HID, EisaId ("PNP0501"))  // 16550A-compatible serial port
            Name (_UID, 1)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x03F8, 0x03F8, 0x01, 0x08)
                IRQNoFlags () { 4 }
            })
        }

        Device (COM2)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 2)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x02F8, 0x02F8, 0x01, 0x08)
                IRQNoFlags () { 3 }
            })
        }

        Device (RTC)
        {
            Name (_HID, EisaId ("PNP0B00"))  // AT real-time clock
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0070, 0x0070, 0x01, 0x02)
                IRQNoFlags () { 8 }
            })
        }

        Device (KBD)
        {
            Name (_HID, EisaId ("PNP0303"))  // IBM enhanced keyboard
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0060, 0x0060, 0x01, 0x01)
                IO (Decode16, 0x0064, 0x0064, 0x01, 0x01)
                IRQNoFlags () { 1 }
            })
        }
    }
}
