/** Outputs as tools print them, shortened to what their story needs. */

interface Card {
  name: string
  usedMiB: number
  totalMiB: number
}

export const nvidiaTable = (cards: readonly Card[]): string =>
  `${[
    'Sat Nov 28 09:14:02 2026       ',
    '+-----------------------------------------------------------------------------------------+',
    '| NVIDIA-SMI 580.95.05              Driver Version: 580.95.05      CUDA Version: 13.0     |',
    '+-----------------------------------------+------------------------+----------------------+',
    '| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |',
    '| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |',
    '|=========================================+========================+======================|',
    ...cards.flatMap(({name, usedMiB, totalMiB}, index) => [
      `|   ${index}  ${name.padEnd(28)}  Off |   00000000:0${index + 1}:00.0 Off |                  N/A |`,
      `| 30%   41C    P8             21W /  350W | ${`${usedMiB}MiB / ${totalMiB}MiB`.padStart(22)} |      0%      Default |`,
      '|                                         |                        |                  N/A |',
      '+-----------------------------------------+------------------------+----------------------+',
    ]),
    '| Processes:                                                                              |',
    '|    0   N/A  N/A            1702      G   /usr/lib/xorg/Xorg                      180MiB |',
    '+-----------------------------------------------------------------------------------------+',
  ].join('\n')}\n`

export const TWO_3090 = nvidiaTable([
  {name: 'NVIDIA GeForce RTX 3090', usedMiB: 1535, totalMiB: 24576},
  {name: 'NVIDIA GeForce RTX 3090', usedMiB: 328, totalMiB: 24576},
])

export const NVLINK_PAIR = '\tGPU0\tGPU1\tCPU Affinity\tNUMA Affinity\nGPU0\t X \tNV4\t0-23\t0\nGPU1\tNV4\t X \t0-23\t0\n\nLegend:\n\n  X    = Self\n'

/** `nvidia-smi -q` of one card, and the same of `-q -x`. */
export const QUERY_LOG = `
==============NVSMI LOG==============

Driver Version                                         : 590.48.01
CUDA Version                                           : 13.1

Attached GPUs                                          : 1
GPU 00000000:83:00.0
    Product Name                                       : NVIDIA H200
    Product Architecture                               : Hopper
    MIG Mode
        Current                                        : Disabled
        Pending                                        : Disabled
    PCI
        Device Id                                      : 0x233510DE
        Bus Id                                         : 00000000:83:00.0
        GPU Link Info
            PCIe Generation
                Max                                    : 5
                Host Max                               : N/A
            Link Width
                Current                                : 16x
    FB Memory Usage
        Total                                          : 143771 MiB
        Reserved                                       : 614 MiB
        Used                                           : 2048 MiB
        Free                                           : 141109 MiB
    BAR1 Memory Usage
        Total                                          : 262144 MiB
        Free                                           : 262143 MiB
    Processes
        GPU instance ID                                : N/A
        Process ID                                     : 1871
            Type                                       : C
            Name                                       : /opt/venv/bin/python3
            Used GPU Memory                            : 2038 MiB
`

export const QUERY_XML = `<?xml version="1.0" ?>
<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">
<nvidia_smi_log>
  <driver_version>590.48.01</driver_version>
  <cuda_version>13.1</cuda_version>
  <attached_gpus>1</attached_gpus>
  <gpu id="00000000:83:00.0">
    <product_name>NVIDIA H200</product_name>
    <product_architecture>Hopper</product_architecture>
    <mig_mode><current_mig>Disabled</current_mig><pending_mig>Disabled</pending_mig></mig_mode>
    <pci>
      <pci_device_id>233510DE</pci_device_id>
      <pci_gpu_link_info>
        <pcie_gen><max_link_gen>5</max_link_gen><max_host_link_gen>N/A</max_host_link_gen></pcie_gen>
        <link_widths><current_link_width>16x</current_link_width></link_widths>
      </pci_gpu_link_info>
    </pci>
    <fb_memory_usage><total>143771 MiB</total><reserved>614 MiB</reserved><used>2048 MiB</used><free>141109 MiB</free></fb_memory_usage>
    <processes>
      <process_info><pid>1871</pid><type>C</type><process_name>/opt/venv/bin/python3</process_name><used_memory>2038 MiB</used_memory></process_info>
    </processes>
  </gpu>
</nvidia_smi_log>
`

export const AMD_TABLE = `+------------------------------------------------------------------------------+
| AMD-SMI 26.0.0+37d158ab      amdgpu version: 6.12.12  ROCm version: 7.0.0    |
| Platform: Linux Baremetal                                                    |
|-------------------------------------+----------------------------------------|
| BDF                        GPU-Name | Mem-Uti   Temp   UEC       Power-Usage |
| GPU  HIP-ID  OAM-ID  Partition-Mode | GFX-Uti    Fan               Mem-Usage |
|=====================================+========================================|
| 0000:05:00.0    AMD Instinct MI300X | 0 %      41 °C   0           124/750 W |
|   0       0       7        SPX/NPS1 | 0 %        N/A           283/196592 MB |
|-------------------------------------+----------------------------------------|
| 0000:26:00.0 ...Instinct MI300X OAM | N/A        N/A   0           N/A/750 W |
|   1       1       6        SPX/NPS1 | N/A        N/A        149820/196592 MB |
+-------------------------------------+----------------------------------------+
`

export const AMD_STATIC = `GPU: 0
    ASIC:
        MARKET_NAME: AMD Instinct MI300X
        DEVICE_ID: 0x74a1
        TARGET_GRAPHICS_VERSION: gfx942
    BUS:
        BDF: 0000:05:00.0
    VRAM:
        TYPE: HBM
        SIZE: 196592 MB

GPU: 1
    ASIC:
        MARKET_NAME: AMD Instinct MI300X
        DEVICE_ID: 0x74a1
        TARGET_GRAPHICS_VERSION: gfx942
    BUS:
        BDF: 0000:26:00.0
    VRAM:
        TYPE: HBM
        SIZE: 196592 MB
`

export const AMD_METRIC = `GPU: 0
    MEM_USAGE:
        TOTAL_VRAM: 196592 MB
        USED_VRAM: 283 MB
        FREE_VRAM: 196309 MB

GPU: 1
    MEM_USAGE:
        TOTAL_VRAM: 196592 MB
        USED_VRAM: 149820 MB
        FREE_VRAM: 46772 MB
`

export const AMD_TOPOLOGY = `ACCESS TABLE:
             0000:05:00.0 0000:26:00.0
0000:05:00.0 ENABLED      ENABLED
0000:26:00.0 ENABLED      ENABLED

LINK TYPE TABLE:
             0000:05:00.0 0000:26:00.0
0000:05:00.0 SELF         XGMI
0000:26:00.0 XGMI         SELF
`

export const MEMINFO = 'MemTotal:       127600748 kB\nMemFree:        99000000 kB\nMemAvailable:   118566368 kB\n'
