// The virtio devices on MMIO (VIRTIO 1.2, 4.2; LNRO0005 is what Linux's virtio_mmio looks for). SLTS, the number of
// slots in use, is put in when the machine is built; the places are those of vmm/virtio_slots.hpp.
DefinitionBlock ("virtio.aml", "SSDT", 2, "KVMBCH", "VIRTIO", 1)
{
    Scope (\_SB)
    {
        Name (SLTS, 0x5A5A5A5A)
        Method (SLOT, 1)  // _STA of slot Arg0
        {
            If (SLTS > Arg0) { Return (0x0F) }
            Return (Zero)
        }

        Device (VIO0)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 0)
            Name (_CCA, 1)  // DMA is coherent
            Method (_STA) { Return (SLOT (0)) }
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xD0000000, 0x00001000)
                Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 7 }
            })
        }

        Device (VIO1)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 1)
            Name (_CCA, 1)  // DMA is coherent
            Method (_STA) { Return (SLOT (1)) }
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xD0001000, 0x00001000)
                Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 12 }
            })
        }

        Device (VIO2)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 2)
            Name (_CCA, 1)  // DMA is coherent
            Method (_STA) { Return (SLOT (2)) }
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xD0002000, 0x00001000)
                Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 13 }
            })
        }

        Device (VIO3)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 3)
            Name (_CCA, 1)  // DMA is coherent
            Method (_STA) { Return (SLOT (3)) }
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xD0003000, 0x00001000)
                Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 20 }
            })
        }

        Device (VIO4)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 4)
            Name (_CCA, 1)  // DMA is coherent
            Method (_STA) { Return (SLOT (4)) }
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xD0004000, 0x00001000)
                Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 21 }
            })
        }

        Device (VIO5)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 5)
            Name (_CCA, 1)  // DMA is coherent
            Method (_STA) { Return (SLOT (5)) }
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xD0005000, 0x00001000)
                Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 22 }
            })
        }

        Device (VIO6)
        {
            Name (_HID, "LNRO0005")
            Name (_UID, 6)
            Name (_CCA, 1)  // DMA is coherent
            Method (_STA) { Return (SLOT (6)) }
            Name (_CRS, ResourceTemplate ()
            {
                Memory32Fixed (ReadWrite, 0xD0006000, 0x00001000)
                Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { 23 }
            })
        }
    }
}
