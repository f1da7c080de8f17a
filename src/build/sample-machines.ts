/**
 * The captured outputs that hold a whole machine, which `--machine` has to take, with what they say, written by hand: how many GPUs of
 * which card (a star where the catalogue may come to know it), MiB in all and free (a question mark where the text does not tell) and how
 * they are joined. Of mixed cards the group that plans take.
 */
export const SAMPLE_MACHINES: Record<string, string> = {
  'amd-smi-static-asic-mi308x-text.txt': '1 x mi308x 196592 free ? pcie-host',
  'amd-smi-static-json-mi210.json': '1 x mi210 65520 free ? pcie-host',
  'hl-smi-gaudi2-head.txt': '2 x gaudi2 98304 free 97536 other',
  'hl-smi-gaudi3-8card.txt': '8 x gaudi3 131072 free 130400 other',
  'hl-smi-query-csv-gaudi3-2card.csv': '2 x gaudi3 131072 free 130400 other',
  // Chips by their number alone, and by number and name; the bus tells no memory.
  'lspci-h100-3d-controller-no-pciids.txt': '4 x h100-sxm 81559 free ? nvlink',
  'lspci-nn-h200-hgx-with-nvswitch.txt': '8 x h200-sxm 143771 free ? nvlink',
  'lspci-nnk-3080-20gb-modded-and-5090.txt': '1 x rtx-5090 32607 free ? pcie-host',
  'lspci-nnk-rtx3090.txt': '2 x rtx-3090 24576 free ? pcie-host',
  // One chip is sold as 7900 XT and XTX: the lesser.
  'lspci-vvv-7900xtx-bar-not-vram.txt': '1 x rx-7900-xt 20464 free ? pcie-host',
  'npu-smi-info-910b3-noncontiguous.txt': '2 x ascend-910b3 65536 free 62091/5380 other',
  'npu-smi-info-910b4-wide-v26.txt': '1 x ascend-910b4 32768 free 29897 pcie-host',
  'npu-smi-info-no-process-llamacpp-docs.txt': '2 x * 32768 free 32768 pcie-host',
  // Slices by their profile.
  'nvidia-smi-L-h100-mig.txt': '1 x * 40448 free ? pcie-host',
  'nvidia-smi-L-mig-seven-slices.txt': '1 x * 9728 free ? pcie-host',
  // Refused there, but the card is named.
  'nvidia-smi-nvlink-s-mig.txt': '1 x h100-sxm 81559 free ? pcie-host',
  'nvidia-smi-nvlink-s-unsupported-l40s.txt': '1 x l40s 46068 free ? pcie-host',
  'nvidia-smi-q-h100-mig.txt': '1 x * 40448 free 40423 pcie-host',
  'nvidia-smi-q-h200.txt': '1 x h200-sxm 143771 free 143158 pcie-host',
  'nvidia-smi-q-x-a100-sxm4-40gb-mig-dtd-v11.xml': '1 x * 19968 free 19948 pcie-host',
  'nvidia-smi-q-x-a100-sxm4-80gb-mig.xml': '1 x * 19968 free 19955 pcie-host',
  'nvidia-smi-q-x-a10g.xml': '1 x a10g 23028 free 22569 pcie-host',
  'nvidia-smi-q-x-rtx-3060-12gb.xml': '1 x rtx-3060-12gb 12288 free 11806 pcie-host',
  'nvidia-smi-q-x-rtx-4000-sff-ada-dtd-v13.xml': '1 x rtx-4000-sff-ada 20475 free 16482 pcie-host',
  'nvidia-smi-q-x-tesla-t4.xml': '1 x t4 15360 free 13939 pcie-host',
  'nvidia-smi-q-x-windows-rtx-2080.xml': '1 x * 8192 free 7147 pcie-host',
  'nvidia-smi-query-gpu-full-h100-sxm.csv': '1 x h100-sxm 81559 free 81081 pcie-host',
  'nvidia-smi-query-gpu-full-h200.csv': '1 x h200-sxm 143771 free 143158 pcie-host',
  'nvidia-smi-query-gpu-full-l40s.csv': '1 x l40s 46068 free 45460 pcie-host',
  'nvidia-smi-query-gpu-full-rtx4080-super.csv': '1 x rtx-4080-super 16376 free 15348 pcie-host',
  'nvidia-smi-query-gpu-full-windows-rtx2080-super.csv': '1 x * 8192 free 7191 pcie-host',
  'nvidia-smi-query-gpu-mixed-3080-5060ti.csv': '1 x rtx-5060-ti-16gb 16311 free ? pcie-host',
  'nvidia-smi-table-gb10-dgx-spark.txt': '1 x gb10 124610 free ? unified',
  'nvidia-smi-table-gb200-4gpu.txt': '4 x gb200 189471 free 189469/189467/189471 nvlink',
  'nvidia-smi-table-gh200-120gb-4gpu.txt': '4 x gh200-96gb 97871 free 97866/97831/97836/97848 pcie-host',
  'nvidia-smi-table-gh200-480gb.txt': '1 x gh200-96gb 97871 free 97813 pcie-host',
  'nvidia-smi-table-h100-mig.txt': '1 x * 40448 free 29357 pcie-host',
  'nvidia-smi-table-h100-sxm.txt': '1 x h100-sxm 81559 free 81559 pcie-host',
  'nvidia-smi-table-h200.txt': '1 x h200-sxm 143771 free 111409 pcie-host',
  'nvidia-smi-table-jetson-agx-orin.txt': '1 x jetson-agx-orin-64gb 65536 free ? unified',
  'nvidia-smi-table-jetson-orin-driver-na.txt': '1 x jetson-agx-orin-64gb 65536 free ? unified',
  'nvidia-smi-table-jetson-thor.txt': '1 x jetson-thor-t5000 131072 free ? unified',
  'nvidia-smi-table-l40s.txt': '1 x l40s 46068 free 44833 pcie-host',
  // Cut names.
  'nvidia-smi-table-rtx4080-super.txt': '1 x rtx-4080 16376 free 15780 pcie-host',
  'nvidia-smi-table-windows-wddm.txt': '1 x * 8192 free 7395 pcie-host',
  'nvidia-smi-table-wsl2-cuda-version-err.txt': '1 x * 6144 free 5328 pcie-host',
  'nvidia-smi-table-wsl2-rtx3080ti.txt': '1 x * 12288 free 9578 pcie-host',
  'rocm-smi-a-json-mi100-rocm602.json': '4 x mi100 32752 free 32746 pcie-host',
  'rocm-smi-a-json-rx6700xt-rocm612.json': '1 x * 12272 free 10772 pcie-host',
  'rocm-smi-a-json-vega20-uppercase-keys.json': '1 x mi50-32gb 32752 free 32742 pcie-host',
  // The second is of a chip that is sold with 16 and with 32 GiB.
  'rocm-smi-showproductname-mixed-mi50.txt': '1 x mi50-32gb 32752 free ? pcie-host',
  'rocm-smi-showproductname-showuse-showmeminfo-7900xt.csv': '1 x rx-7900-xt 20464 free 20437 pcie-host',
  'rocm-smi-showproductname-showuse-showmeminfo-7900xt.json': '1 x rx-7900-xt 20464 free 20437 pcie-host',
  // A quarter of the package's 196592; nothing is taken.
  'rocm-smi-table-mi300x-qpx.txt': '4 x * 49148 free 49148 pcie-host',
  'rocm-smi-table-mi308x-8gpu.txt': '8 x mi308x 196592 free 196592 pcie-host',
  'rocminfo-mi250x-agent-excerpt.txt': '1 x mi250x 65520 free ? pcie-host',
  'rocminfo-strix-halo-trimmed.txt': '1 x strix-halo-128gb 131072 free ? unified',
  // Without `sysctl hw.memsize` the most that the chip is sold with.
  'system-profiler-spdisplays-m1.json': '1 x apple-m1 16384 free ? unified',
  'system-profiler-spdisplays-m2-max.json': '1 x apple-m2-max 98304 free ? unified',
  'system-profiler-spdisplays-m4-mini-headless.json': '1 x apple-m4 32768 free ? unified',
  'xpu-smi-default-table-b580.txt': '1 x arc-b580 12216 free 11977 pcie-host',
  'xpu-smi-discovery-b580.txt': '1 x arc-b580 12216 free ? pcie-host',
}
