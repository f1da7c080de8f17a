/**
 * Oldest driver for programs of a CUDA release, by the driver's first number. Within a release programs run on every driver from
 * the first on ("minor version compatibility"): https://docs.nvidia.com/deploy/cuda-compatibility/minor-version-compatibility.html
 * table 1, which gives 580 for CUDA 13.x, 525 for 12.x and 450 for 11.x.
 */
export const OLDEST_DRIVER = [
  {cuda: 13, driver: 580},
  {cuda: 12, driver: 525},
  {cuda: 11, driver: 450},
] as const

/** First number of the oldest driver for programs of this CUDA release (`12.9`); undefined where it is not known. */
export const oldestDriver = (cuda: string): number | undefined => OLDEST_DRIVER.find((release) => release.cuda === Math.floor(Number(cuda)))?.driver
