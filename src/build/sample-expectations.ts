/**
 * What each captured output of the samples folder says, written by hand from its text. `read` names the reader; `says` is one line
 * for each thing that it has to find: number, name, total and free (or used, marked with a u) memory in MiB, then more. A
 * question mark stands for what the text does not tell.
 */
export interface SampleExpectation {
  read: string
  says: string[]
}

const all = (count: number, line: (at: number) => string): string[] => Array.from({length: count}, (_, at) => line(at))

/** Pairs among `count` GPUs, all alike. */
const mesh = (count: number, word: string): string[] =>
  all(count, (a) => all(count - a - 1, (b) => `${a}-${a + b + 1} ${word}`).join('\n')).flatMap((lines) => lines.split('\n').filter(Boolean))

const nothing = (read: string): SampleExpectation => ({read, says: []})

/** Outputs that no probe asks for; they only must not upset a reader. */
const unread = nothing('none')

export const SAMPLE_EXPECTATIONS: Record<string, SampleExpectation> = {
  // nvidia-smi's table
  'nvidia-smi-table-h100-sxm.txt': {read: 'nvidia table', says: ['0 NVIDIA H100 80GB HBM3 81559 81559 driver 590.48.01 cuda 13.1']},
  'nvidia-smi-table-h100-mig.txt': {
    read: 'nvidia table',
    says: [
      '0 NVIDIA H100 80GB HBM3 81559 70434 driver 590.48.01 cuda 13.1 mig held by memhog, memhog, gpu_burn',
      'slice 0 40448 29357',
      'slice 1 20096 20079',
      'slice 2 9984 9975',
      'slice 3 9984 9975',
    ],
  },
  'nvidia-smi-table-h200.txt': {read: 'nvidia table', says: ['0 NVIDIA H200 143771 111409 driver 590.48.01 cuda 13.1 held by memhog, memhog, gpu_burn']},
  'nvidia-smi-table-l40s.txt': {read: 'nvidia table', says: ['0 NVIDIA L40S 46068 44833 driver 595.80 cuda 13.2 held by ffmpeg, ffmpeg']},
  'nvidia-smi-table-rtx4080-super.txt': {
    read: 'nvidia table',
    says: ['0 ? 16376 15780 driver 595.71.05 cuda 13.2 held by kwin_wayland, plasma-keyboard, Xwayland, plasmashell, xwaylandvideobridge'],
  },
  'nvidia-smi-table-windows-wddm.txt': {
    read: 'nvidia table',
    says: [
      '0 ? 8192 7395 driver 610.62 cuda 13.3 held by dwm.exe, ApplicationFrameHost.exe, SystemSettings.exe, explorer.exe, ShellHost.exe, CrossDeviceResume.exe, SearchHost.exe, StartMenuExperienceHost.exe, NVIDIA Overlay.exe, ShellExperienceHost.exe, NVIDIA Overlay.exe, msedgewebview2.exe, LockApp.exe, WindowsTerminal.exe, ControllerCompanion.exe, PhoneExperienceHost.exe, TextInputHost.exe, 1Password.exe, msedge.exe',
    ],
  },
  'nvidia-smi-table-gb10-dgx-spark.txt': {read: 'nvidia table', says: ['0 NVIDIA GB10 ? ? driver 580.126.09 cuda 13.0']},
  'nvidia-smi-table-jetson-agx-orin.txt': {read: 'nvidia table', says: ['0 Orin (nvgpu) ? ? driver 540.4.0 cuda 12.6']},
  'nvidia-smi-table-jetson-orin-driver-na.txt': {read: 'nvidia table', says: ['0 Orin (nvgpu) ? ? driver ? cuda 12.2']},
  'nvidia-smi-table-jetson-thor.txt': {read: 'nvidia table', says: ['0 NVIDIA Thor ? ? driver 580.00 cuda 13.0 held by Xorg']},
  'nvidia-smi-table-gb200-4gpu.txt': {
    read: 'nvidia table',
    says: [2, 4, 4, 0].map((used, at) => `${at} NVIDIA GB200 189471 ${189471 - used} driver 595.58.03 cuda 13.2`),
  },
  'nvidia-smi-table-gh200-480gb.txt': {read: 'nvidia table', says: ['0 NVIDIA GH200 480GB 97871 97813 driver 580.82.07 cuda 13.0']},
  'nvidia-smi-table-gh200-120gb-4gpu.txt': {
    read: 'nvidia table',
    says: [5, 40, 35, 23].map((used, at) => `${at} NVIDIA GH200 120GB 97871 ${97871 - used} driver 590.48.01 cuda 13.1`),
  },
  'nvidia-smi-table-truncated-name-driver510.txt': {read: 'nvidia table', says: ['0 ? 4096 4096 driver 510.47.03 cuda 11.6']},
  'nvidia-smi-table-wsl2-rtx3080ti.txt': {read: 'nvidia table', says: ['0 NVIDIA GeForce RTX 3080 Ti 12288 9578 driver 555.85 cuda 12.5']},
  'nvidia-smi-table-wsl2-cuda-version-err.txt': {read: 'nvidia table', says: ['0 ? 6144 5328 driver 546.80 cuda ?']},

  // Lists, versions, queries
  'nvidia-smi-L-h100-mig.txt': {read: 'nvidia list', says: ['0.0 3g.40gb', '0.1 2g.20gb', '0.2 1g.10gb', '0.3 1g.10gb']},
  'nvidia-smi-L-mig-seven-slices.txt': {read: 'nvidia list', says: all(7, (at) => `0.${at} 1g.10gb`)},
  'nvidia-smi-version-driver590.txt': unread,
  'nvidia-smi-version-driver610-windows.txt': unread,
  'nvidia-smi-version-wsl2.txt': unread,
  'nvidia-smi-query-gpu-full-h100-sxm.csv': {read: 'nvidia query', says: ['0 NVIDIA H100 80GB HBM3 81559 81081 driver 590.48.01 cc 9']},
  'nvidia-smi-query-gpu-full-h100-mig.csv': {read: 'nvidia query', says: ['0 NVIDIA H100 80GB HBM3 81559 81022 driver 590.48.01 cc 9 mig']},
  'nvidia-smi-query-gpu-full-h200.csv': {read: 'nvidia query', says: ['0 NVIDIA H200 143771 143158 driver 590.48.01 cc 9']},
  'nvidia-smi-query-gpu-full-l40s.csv': {read: 'nvidia query', says: ['0 NVIDIA L40S 46068 45460 driver 595.80 cc 8.9']},
  'nvidia-smi-query-gpu-full-rtx4080-super.csv': {read: 'nvidia query', says: ['0 NVIDIA GeForce RTX 4080 SUPER 16376 15348 driver 595.71.05 cc 8.9']},
  'nvidia-smi-query-gpu-full-windows-rtx2080-super.csv': {read: 'nvidia query', says: ['0 NVIDIA GeForce RTX 2080 SUPER 8192 7191 driver 610.62 cc 7.5']},
  // Its columns hold no number of a card.
  'nvidia-smi-query-gpu-gb10.csv': nothing('nvidia query'),
  'nvidia-smi-query-gpu-mixed-3080-5060ti.csv': {
    read: 'nvidia short rows',
    says: ['0 NVIDIA GeForce RTX 3080 10240 ? driver 610.43.03', '1 NVIDIA GeForce RTX 5060 Ti 16311 ? driver 610.43.03'],
  },
  'nvidia-smi-query-compute-apps-h100-mig.csv': unread,
  'nvidia-smi-query-compute-apps-h200.csv': unread,
  'nvidia-smi-help-query-gpu-driver590.txt': unread,

  // -q as text is not asked for; XML is
  'nvidia-smi-q-h200.txt': unread,
  'nvidia-smi-q-h100-mig.txt': unread,
  'nvidia-smi-q-x-a100-sxm4-80gb-mig.xml': {
    read: 'nvidia xml',
    says: ['0 NVIDIA A100-SXM4-80GB 81920 80999 driver 535.54.03 cuda 12.2 mig', ...all(4, (at) => `slice ${at} 19968 19955`)],
  },
  'nvidia-smi-q-x-a10g.xml': {read: 'nvidia xml', says: ['0 NVIDIA A10G 23028 22569 driver 515.105.01 cuda 11.7 held by Xorg']},
  'nvidia-smi-q-x-tesla-t4.xml': {read: 'nvidia xml', says: ['0 Tesla T4 15360 13939 driver 515.105.01 cuda 11.7 held by Xorg, python']},
  'nvidia-smi-q-x-rtx-3060-12gb.xml': {read: 'nvidia xml', says: ['0 NVIDIA GeForce RTX 3060 12288 11806 driver 570.124.04 cuda 12.8']},
  'nvidia-smi-q-x-rtx-4000-sff-ada-dtd-v13.xml': {
    read: 'nvidia xml',
    says: ['0 NVIDIA RTX 4000 SFF Ada Generation 20475 16482 driver 595.84 cuda 13.2 held by cosmic-comp, code, python, chromium'],
  },
  'nvidia-smi-q-x-a100-sxm4-40gb-mig-dtd-v11.xml': {
    read: 'nvidia xml',
    says: ['0 NVIDIA A100-SXM4-40GB 40960 40315 driver 510.47.03 cuda 11.6 mig', ...all(2, (at) => `slice ${at} 19968 19948`)],
  },
  // Names of programs that Windows hides are empty there.
  'nvidia-smi-q-x-windows-rtx-2080.xml': {
    read: 'nvidia xml',
    says: [
      `0 NVIDIA GeForce RTX 2080 8192 7147 driver 516.59 cuda 11.7 held by ${'PhoneExperienceHost,,ShellExperienceHost,Skype,,,explorer,Cortana,LogiOptionsMgr,LockApp,Microsoft.Photos,CefSharp.BrowserSubprocess,Slack,TextInputHost,Video.UI,chrome,LogiOverlay,,HxOutlook,SearchHost,,Viber,StartMenuExperienceHost,onenoteim,WorkingHours,msedgewebview2'
        .split(',')
        .map((name) => (name === '' ? 'unknown' : `${name}.exe`))
        .join(', ')}`,
    ],
  },

  // Links
  'nvidia-smi-topo-m-dgx-h100-nv18.txt': {read: 'nvidia topology', says: mesh(8, 'nvlink NV18')},
  'nvidia-smi-topo-m-h100-nv18-vm.txt': {read: 'nvidia topology', says: mesh(8, 'nvlink NV18')},
  'nvidia-smi-topo-m-8x4090-sys.txt': {read: 'nvidia topology', says: mesh(8, 'pcie-host SYS')},
  'nvidia-smi-topo-m-2x5090-phb.txt': {read: 'nvidia topology', says: ['0-1 pcie-host PHB']},
  'nvidia-smi-topo-p2p-rw-2x5090-gns.txt': {read: 'nvidia peers', says: ['0-1 no']},
  'nvidia-smi-topo-m-2x3090-nv4-bridge.txt': {read: 'nvidia topology', says: ['0-1 nvlink NV4']},
  'nvidia-smi-topo-m-3xa6000-partial-nvlink.txt': {read: 'nvidia topology', says: ['0-1 nvlink NV4', '0-2 pcie-host NODE', '1-2 pcie-host NODE']},
  'nvidia-smi-nvlink-s-inactive-links.txt': {read: 'nvidia links', says: ['2 0 links ?']},
  'nvidia-smi-topo-m-4xa100-mlx5-names.txt': {read: 'nvidia topology', says: mesh(4, 'nvlink NV4')},
  'nvidia-smi-topo-m-gb200-4gpu-multi-numa.txt': {read: 'nvidia topology', says: mesh(4, 'nvlink NV18')},
  'nvidia-smi-topo-m-single-ansi.txt': nothing('nvidia topology'),
  'nvidia-smi-nvlink-s-h200.txt': {read: 'nvidia links', says: ['0 18 links 26.562']},
  'nvidia-smi-nvlink-s-unsupported-l40s.txt': nothing('nvidia links'),
  'nvidia-smi-nvlink-s-mig.txt': nothing('nvidia links'),

  // Failures
  'nvidia-smi-fail-driver-comm.txt': {read: 'nvidia failure', says: ['driver-not-loaded']},
  'nvidia-smi-fail-wsl-driver-not-loaded.txt': {read: 'nvidia failure', says: ['driver-not-loaded']},
  'nvidia-smi-fail-version-mismatch.txt': {read: 'nvidia failure', says: ['driver-mismatch']},
  'nvidia-smi-fail-version-mismatch-short.txt': {read: 'nvidia failure', says: ['driver-mismatch']},
  'nvidia-smi-fail-no-devices.txt': {read: 'nvidia failure', says: ['no-devices']},
  'nvidia-smi-fail-device-handle-unknown.txt': {read: 'nvidia failure', says: ['gpu-lost']},
  'nvidia-smi-fail-gpu-lost.txt': {read: 'nvidia failure', says: ['gpu-lost']},

  // AMD
  'rocm-smi-a-json-mi100-rocm602.json': {
    read: 'rocm-smi',
    says: ['83', 'a3', 'c3', 'e3'].map((bus, at) => `${at} Instinct MI100, Arcturus GL-XL [Instinct MI100] ? 32752 u6 0x738c at 0000:${bus}:00.0`),
  },
  'rocm-smi-a-json-rx6700xt-rocm612.json': {
    read: 'rocm-smi',
    says: ['0 Radeon RX 6700/6700 XT / 6800M, Navi 22 [Radeon RX 6700/6700 XT / 6800M] gfx1031 12272 u1500 0x73df at 0000:07:00.0'],
  },
  // Its "Card model" is the board's and not the chip's.
  'rocm-smi-a-json-vega20-uppercase-keys.json': {read: 'rocm-smi', says: ['0 Radeon Instinct MI50 32GB ? 32752 u10 ? at 0000:63:00.0']},
  'rocm-smi-showproductname-showuse-showmeminfo-7900xt.json': {read: 'rocm-smi', says: ['0 Radeon RX 7900 XT gfx1100 20464 u27 0x744c']},
  'rocm-smi-showproductname-showuse-showmeminfo-7900xt.csv': {read: 'rocm-smi', says: ['0 Radeon RX 7900 XT gfx1100 20464 u27 0x744c']},
  'rocm-smi-showmeminfo-vram-mixed-mi50.txt': {read: 'rocm-smi', says: ['0 ? ? 32752 u24059 ?', '1 ? ? 16368 u7339 ?', '2 ? ? 512 u17 ?']},
  'rocm-smi-showproductname-mixed-mi50.txt': {
    read: 'rocm-smi',
    says: ['0 ? gfx906 ? ? 0x66a0', '1 AMD Instinct MI60 / MI50 gfx906 ? ? 0x66a1', '2 ? gfx90c ? ? 0x1638'],
  },
  'rocm-smi-table-mi308x-8gpu.txt': {read: 'rocm-smi', says: all(8, (at) => `${at} ? ? ? ? 0x74a2 SPX 0`)},
  'rocm-smi-u-showmeminfo-vram-mi308x-8gpu.txt': {read: 'rocm-smi', says: all(8, (at) => `${at} ? ? 196592 u284 ?`)},
  'rocm-smi-showtopo-mi308x-8gpu-xgmi.txt': {read: 'rocm-smi topology', says: mesh(8, 'xgmi XGMI')},
  'rocm-smi-table-mi300x-qpx.txt': {read: 'rocm-smi', says: all(4, (at) => `${at} ? ? ? ? 0x74a1 QPX ${at}`)},
  'rocm-smi-showmeminfo-mi300x-qpx-overcount.txt': {read: 'rocm-smi', says: all(4, (at) => `${at} ? ? 196592 u284 ?`)},
  'rocm-smi-low-power-warning.txt': {read: 'rocm-smi', says: ['0 ? ? ? ? 0x7480']},
  'amd-smi-list-text.txt': {read: 'amd-smi', says: ['0 ? ? ? ? ? at 0000:23:00.0', '1 ? ? ? ? ? at 0000:26:00.0']},
  'amd-smi-static-asic-mi308x-text.txt': {read: 'amd-smi', says: ['0 MI308X gfx942 ? ? 0x74a2']},
  'amd-smi-topology-json-old.json': {read: 'amd-smi topology', says: ['0-1 pcie-host PCIE']},
  // Not JSON as it was printed there: nothing is better than a part that may be wrong.
  'amd-smi-topology-json-new-trailing-commas.txt': nothing('amd-smi topology'),
  'amd-smi-topology-text-8gpu-xgmi.txt': {read: 'amd-smi topology', says: mesh(8, 'xgmi XGMI')},
  'amd-smi-static-clock-bare-array-mi355.cut.txt': nothing('amd-smi'),
  'amd-smi-static-json-mi210.json': {read: 'amd-smi', says: ['0 AMD Instinct MI210 gfx90a 65520 ? 0x740f']},
  'amd-sysfs-strix-halo-gtt.txt': unread,
  'rocminfo-strix-halo-trimmed.txt': {read: 'rocminfo', says: ['0 AMD Radeon 8060S Graphics gfx1151 ? ? ?']},
  'rocminfo-mi250x-agent-excerpt.txt': {read: 'rocminfo', says: ['0 AMD Instinct MI250X/MI250 gfx90a ? ? ?']},
  // A part without the line that names the agent.
  'rocminfo-mi250-pool-excerpt.txt': nothing('rocminfo'),

  // Apple
  'system-profiler-spdisplays-m1.json': {read: 'system_profiler', says: ['Apple M1, 7 cores']},
  'system-profiler-spdisplays-m2-max.json': {read: 'system_profiler', says: ['Apple M2 Max, 30 cores']},
  'system-profiler-spdisplays-m4-mini-headless.json': {read: 'system_profiler', says: ['Apple M4, 10 cores']},
  'sysctl-n-hw-memsize-16gb.txt': unread,
  'system-profiler-spmemory-m1.json': nothing('system_profiler'),

  // Intel, Gaudi, Ascend
  'xpu-smi-discovery-b580.txt': {read: 'xpu-smi', says: ['0 Intel(R) Arc(TM) B580 Graphics 12216 ? 0xe20b']},
  'xpu-smi-default-table-b580.txt': {read: 'xpu-smi', says: ['0 Intel(R) Arc(TM) B580 12216 11977 ?']},
  'xpu-smi-discovery-j-dump2-b60.cut.txt': nothing('xpu-smi'),
  'xpu-smi-topo-m-8gpu-head.txt': {
    read: 'xpu-smi topology',
    says: mesh(8, '').map((pair) => {
      const [a = 0, b = 0] = pair.trim().split('-').map(Number)
      return `${a}-${b} pcie-host ${a < 4 === b < 4 ? 'NODE' : 'SYS'}`
    }),
  },
  'hl-smi-gaudi3-8card.txt': {read: 'gaudi table', says: all(8, (at) => `${at} HL-325L 131072 130400 driver 1.20.1-366eb9c`)},
  'hl-smi-gaudi2-head.txt': {read: 'gaudi table', says: all(2, (at) => `${at} HL-225 98304 97536 driver 1.15.0-c43dc7b`)},
  'hl-smi-query-csv-gaudi3-2card.csv': {read: 'gaudi query', says: all(2, (at) => `${at} HL-325L 131072 130400 driver 1.22.1-97ec1a4`)},
  'npu-smi-info-910b3-noncontiguous.txt': {read: 'ascend', says: ['0 Ascend 910B3 65536 62091 driver 25.5.1', '5 Ascend 910B3 65536 5380 driver 25.5.1']},
  'npu-smi-info-910b4-wide-v26.txt': {read: 'ascend', says: ['0 Ascend 910B4 32768 29897 driver ?']},
  'npu-smi-info-no-process-llamacpp-docs.txt': {read: 'ascend', says: ['2 ? 32768 32768 driver 24.1.rc2', '5 ? 32768 32768 driver 24.1.rc2']},

  // Host. lspci is not asked: the kernel's own files tell the same without it.
  'lspci-h100-3d-controller-no-pciids.txt': unread,
  'lspci-nn-h200-hgx-with-nvswitch.txt': unread,
  'lspci-nnk-rtx3090.txt': unread,
  'lspci-nnk-3080-20gb-modded-and-5090.txt': unread,
  'lspci-vvv-7900xtx-bar-not-vram.txt': unread,
  'lspci-mi325x-processing-accelerator-fields.cut.txt': unread,
  'lspci-intel-arc-lines.txt': unread,
  'free-m-xeon-6126t.txt': unread,
  // One channel of 32 bits at 8000 MT/s is 32 GB/s; the capture shows one of eight devices.
  'dmidecode-17-strix-halo-lpddr5.txt': {read: 'dmidecode', says: ['1 LPDDR5 8000 of 8532 MT/s, 1 channels, 32 GB/s']},
  // 64 bits at 3200 MT/s: 25.6 GB/s; the empty slot does not count.
  'dmidecode-17-epyc-ddr4-empty-slot.txt': {read: 'dmidecode', says: ['1 DDR4 3200 of 3200 MT/s, 1 channels, 25.6 GB/s']},
  // 64 bits at 4200 MT/s: 33.6 GB/s, not the 44.8 of its rating.
  'dmidecode-17-ddr5-downclocked.txt': {read: 'dmidecode', says: ['1 DDR5 4200 of 5600 MT/s, 1 channels, 33.6 GB/s']},
  // 127600748 and 118566368 KiB
  'proc-meminfo-gb10-lines.txt': {read: 'meminfo', says: ['124610 115787']},
  // 1019732 and 710280 KiB
  'proc-meminfo-1gb-vm-full.txt': {read: 'meminfo', says: ['996 694']},
  'lscpu-xeon-6126t-flat.txt': {read: 'lscpu', says: ['Intel(R) Xeon(R) Gold 6126T CPU @ 2.60GHz, 48 threads, 24 cores, 2 sockets, 2 nodes']},
  'lscpu-kunpeng920-8-numa.cut.txt': {read: 'lscpu', says: ['Kunpeng-920, 256 threads, 256 cores, 4 sockets, 8 nodes']},
  'lscpu-indented-groups-a100-host.cut.txt': {read: 'lscpu', says: ['?, ? threads, ? cores, ? sockets, 2 nodes']},
  // CPU 128 is off-line: 255 of 256.
  'lscpu-h100-epyc-offline-cpu.cut.txt': {read: 'lscpu', says: ['?, 255 threads, ? cores, ? sockets, ? nodes']},
}
