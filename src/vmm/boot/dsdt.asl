// The machine's devices that ACPI has to name, and its PCI bus. Their registers and interrupts are
// those of src/devices; the power-off value is the one that the ACPI PM device takes.
DefinitionBlock ("dsdt.aml", "DSDT", 2, "KVMBCH", "KVMBENCH", 1)
{
    // Soft off: SLP_TYP 5 in PM1a_CNT (ACPI 6.4, 7.4.2). PM1b is not there.
    Name (\_S5, Package (4) { 5, 0, 0, 0 })

    // The interrupt model, which an operating system tells by _PIC (ACPI 6.4, 5.8.1): 0 the 8259s, 1 the I/O APIC.
    Name (PICM, 0)
    Method (\_PIC, 1, NotSerialized)
    {
        PICM = Arg0
    }

    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))  // PCI bus
            Name (_UID, 0)
            Name (_CRS, ResourceTemplate ()
            {
                WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0, 0, 1)
                IO (Decode16, 0x0CF8, 0x0CF8, 0x01, 0x08)  // configuration mechanism 1
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x0000, 0x0CF7, 0, 0x0CF8)
                WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange, 0, 0x0D00, 0xFFFF, 0, 0xF300)
                // memory_map::pci_window, up to memory_map::virtio_mmio
                DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
                             0, 0xC0000000, 0xCFFFFFFF, 0, 0x10000000)
            })

            // What devices/pci_routing.hpp says: pin P (from 0) of device D is on link (D + P) mod 4.
            Name (PICI, Package (4) { 10, 11, 5, 6 })
            Method (_PRT, 0, Serialized)
            {
                Local0 = Package (128) {}
                Local1 = 0
                While (Local1 < 128)
                {
                    Local2 = Local1 >> 2             // D
                    Local3 = Local1 & 3              // P
                    Local4 = (Local2 + Local3) & 3   // the link
                    If (PICM) { Local5 = 16 + Local4 }
                    Else { Local5 = DerefOf (PICI [Local4]) }
                    Local6 = Package (4) { 0, 0, 0, 0 }  // address, pin, source: none, global system interrupt
                    Local6 [0] = (Local2 << 16) | 0xFFFF
                    Local6 [1] = Local3
                    Local6 [3] = Local5
                    Local0 [Local1] = Local6
                    Local1++
                }
                Return (Local0)
            }
        }

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
