import {mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import fc from 'fast-check'
import {describe, expect, test} from 'vitest'
import {cleaned} from '../../src/detect/clean.ts'
import {detectMachine} from '../../src/detect/detect-machine.ts'
import {examineMachine} from '../../src/detect/doctor.ts'
import {parseNvidiaXml} from '../../src/detect/nvidia-xml.ts'
import {type Recording, recorded, replayed} from '../../src/detect/recording.ts'
import {readReplay, replayFiles} from '../../src/detect/replay-source.ts'
import {readReport, writeReport} from '../../src/detect/report.ts'
import {shortened} from '../../src/detect/shorten.ts'
import {renderReport, reportTooLong} from '../../src/render/doctor.ts'
import {ended, fakeCatalogue, fakeExec, fakeMachine, fixture} from './support/fakes.ts'
import {effortOf} from '../effort.ts'

const known = {hostname: 'lab-rig-17.corp.example', userNames: ['adalovelace', 'root'], homes: ['/home/adalovelace']}

const SERIAL = '1650212345678'

/** A desktop whose tools and files are full of what identifies it. */
const desktop = () =>
  fakeMachine({
    exec: fakeExec({
      'nvidia-smi -q -x': ended(
        fixture('nvidia-q-x-rtx-4000-sff-ada-desktop.xml')
          .replace('<gpu id', `<serial>${SERIAL}</serial>\n<gpu id`)
          .replace(/<uuid>[^<]*/, '<uuid>GPU-8f6b2d1e-93a1-4c0e-b1d4-0123456789ab')
          .replace('/usr/bin/code', '/home/adalovelace/bin/code --token=hf_abcdefghijklmnopqrstuvwxyz'),
      ),
      'nvidia-smi -L': ended('GPU 0: NVIDIA RTX 4000 SFF Ada Generation (UUID: GPU-8f6b2d1e-93a1-4c0e-b1d4-0123456789ab)\n'),
      'nvidia-smi topo -m': ended('\u001b[4mGPU0\u001b[0m\r\n on lab-rig-17 (10.1.2.3, 3c:ec:ef:12:34:56, fe80::3eec:efff:fe12:3456)\n'),
      dmidecode: ended(`${fixture('dmidecode-ddr5-downclocked.txt')}        Serial Number: E6F9A1B2\n        Asset Tag: LAB-0042\n`),
    }),
    files: {
      '/proc/meminfo': fixture('proc-meminfo-1gb-vm.txt'),
      '/proc/self/cgroup': '0::/user.slice/adalovelace.service\n',
      '/sys/bus/pci/devices/0000:c1:00.0/uevent': 'DRIVER=nvidia\nPCI_CLASS=30000\nPCI_ID=10DE:27B0\nPCI_SLOT_NAME=0000:c1:00.0\n',
      '/sys/bus/pci/devices/0000:00:1f.3/uevent': 'DRIVER=snd_hda_intel\nPCI_CLASS=40300\nPCI_ID=8086:7AD0\nPCI_SLOT_NAME=0000:00:1f.3\n',
    },
    env: {HOME: '/home/adalovelace', CUDA_VISIBLE_DEVICES: 'GPU-8f6b2d1e', HF_TOKEN: 'hf_abcdefghijklmnopqrstuvwxyz', SECRET_OF_MINE: 'x'},
    disks: {'/home/adalovelace': {totalBytes: 2e12, freeBytes: 1e12}},
    system: {platform: 'linux', architecture: 'x64', hostname: 'lab-rig-17.corp.example'},
  })

const PRIVATE = /1650212345678|8f6b2d1e|0123456789ab|lab-rig|corp\.example|adalovelace|hf_abc|10\.1\.2\.3|3c:ec|fe80|E6F9A1B2|LAB-0042|c1:00|SECRET|snd_hda/i

describe('what doctor hands on', () => {
  test('holds nothing that identifies the machine or its owner', async () => {
    const examination = await examineMachine(desktop(), known)
    const report = renderReport(examination, {version: 'servefit 0.0.0'})
    expect(report).not.toMatch(PRIVATE)
    for (const {name, text} of replayFiles(examination.recording)) expect(`${name}\n${text}`).not.toMatch(PRIVATE)
    expect(JSON.stringify(examination)).not.toMatch(PRIVATE)
  })

  test('says what was run, with what end, and what came of it', async () => {
    const report = renderReport(await examineMachine(desktop(), known), {version: 'servefit 0.0.0'})
    expect(report).toContain('NVIDIA RTX 4000 SFF Ada Generation')
    expect(report).toMatch(/^nvidia-smi -q -x +exit 0, \d+ characters$/m)
    expect(report).toMatch(/^Not installed: .*lscpu/m)
    expect(report).toContain('Host memory runs at 4200 MT/s')
    expect(reportTooLong(report)).toBeUndefined()
    expect(reportTooLong('x'.repeat(70_000))).toContain('attach it')
  })
})

describe('the same machine again', () => {
  const fromReport = async (recording: Recording) =>
    detectMachine(replayed(readReport(`Thank you!\n\n${writeReport(recording)}\nand so on`) ?? recording, fakeCatalogue))

  test('from the report as text, from its short form, and from files', async () => {
    const {machine, recording, faithful} = await examineMachine(desktop(), known)
    // CUDA_VISIBLE_DEVICES held the beginning of an identity: it still names the card.
    expect(faithful).toBe(true)
    expect(machine.gpus).toHaveLength(1)
    expect(await fromReport(recording)).toEqual(machine)
    expect(await fromReport(shortened(recording))).toEqual(machine)
    const folder = mkdtempSync(join(tmpdir(), 'servefit-replay-'))
    for (const {name, text} of replayFiles(recording)) writeFileSync(join(folder, name), text)
    expect(readdirSync(folder)).toContain('nvidia-smi_-q_-x.txt')
    expect(await detectMachine(replayed(await readReplay(folder), fakeCatalogue))).toEqual(machine)
    writeFileSync(join(folder, 'report.txt'), renderReport({machine, recording, faithful, tookMs: 1}, {version: 'servefit 0.0.0'}))
    expect(await detectMachine(replayed(await readReplay(join(folder, 'report.txt')), fakeCatalogue))).toEqual(machine)
  })

  test('failures, hangs and texts with fences of their own', async () => {
    const recording: Recording = {
      schemaVersion: 1,
      system: {platform: 'linux'},
      env: {},
      commands: [
        {line: 'a', outcome: {kind: 'timeout', stdout: 'begin\n', stderr: ''}},
        {line: 'b --json', outcome: {kind: 'no-permission'}},
        {line: 'c', outcome: {kind: 'failed', message: 'EMFILE'}},
        {line: 'd', outcome: {kind: 'ended', exitCode: 9, stdout: '', stderr: '~~~~\n#### $ e\n~~~~~~\n'}},
        {line: 'f', outcome: {kind: 'ended', exitCode: null, stdout: 'out\n', stderr: 'err\n', truncated: true}},
        {line: 'g', outcome: {kind: 'ended', exitCode: 255, stdout: '', stderr: ''}},
      ],
      files: {'/proc/empty': '', '/proc/text': 'a\n\nb\n'},
      directories: {'/sys/x': ['y']},
      existing: ['/dev/kfd'],
      disks: {},
    }
    expect(readReport(writeReport(recording))).toEqual(recording)
    const folder = mkdtempSync(join(tmpdir(), 'servefit-replay-'))
    for (const {name, text} of replayFiles(recording)) writeFileSync(join(folder, name), text)
    expect(await readReplay(folder)).toEqual(recording)
  })

  test('whatever the outputs are', () => {
    const text = fc
      .string({maxLength: 80, unit: fc.constantFrom('~', '#', '$', ' ', '\n', 'a', '`', '-')})
      .map((value) => (value === '' || value.endsWith('\n') ? value : `${value}\n`))
    fc.assert(
      fc.property(text, text, text, (stdout, stderr, file) => {
        const recording: Recording = {
          schemaVersion: 1,
          env: {},
          commands: [{line: 'tool', outcome: {kind: 'ended', exitCode: 0, stdout, stderr}}],
          files: {'/f': file},
          directories: {},
          existing: [],
          disks: {},
        }
        expect(readReport(writeReport(recording))).toEqual(recording)
      }),
    )
  })

  test('bus addresses are changed, but two cards stay two and keep their order', async () => {
    const uevent = (address: string) => ({
      [`/sys/bus/pci/devices/${address}/uevent`]: `DRIVER=amdgpu\nPCI_CLASS=30000\nPCI_ID=1002:744C\nPCI_SLOT_NAME=${address}\n`,
    })
    const vram = (address: string, bytes: number) => ({[`/sys/bus/pci/devices/${address}/mem_info_vram_total`]: `${bytes}\n`})
    const node = (at: number, location: number) => ({
      [`/sys/class/kfd/kfd/topology/nodes/${at}/properties`]: `gfx_target_version 110000\nlocation_id ${location}\ndomain 0\n`,
    })
    const effects = fakeMachine({
      exec: fakeExec({
        rocminfo: ended(
          '*******\nAgent 2\n*******\n  Name:                    gfx1100\n  Marketing Name:          Radeon RX 7900 XT\n  Device Type:             GPU\n  BDFID:                   50176\n',
        ),
      }),
      // 0xc400 and 0x0300: buses c4 and 03
      files: {
        ...uevent('0000:c4:00.0'),
        ...uevent('0000:03:00.0'),
        ...vram('0000:c4:00.0', 21458059264),
        ...vram('0000:03:00.0', 17163091968),
        ...node(1, 50176),
        ...node(2, 768),
      },
    })
    const {machine, recording, faithful} = await examineMachine(effects, known)
    expect(faithful).toBe(true)
    expect(JSON.stringify(recording)).not.toMatch(/c4:00|03:00|50176|"location_id 768/)
    expect(machine.gpus.map(({memoryBytes, gfxTarget}) => [memoryBytes, gfxTarget])).toEqual(
      (await detectMachine(effects)).gpus.map(({memoryBytes, gfxTarget}) => [memoryBytes, gfxTarget]),
    )
  })
})

test('the long parts of an XML answer that nobody reads are left out, and nothing else', () => {
  const xml = fixture('nvidia-q-x-rtx-3060.xml').replace(
    '</gpu>',
    '\t\t<supported_clocks>\n\t\t\t<supported_mem_clock>\n\t\t\t\t<value>7501 MHz</value>\n\t\t\t</supported_mem_clock>\n\t\t</supported_clocks>\n</gpu>',
  )
  const recording: Recording = {
    schemaVersion: 1,
    env: {},
    commands: [{line: 'nvidia-smi -q -x', outcome: {kind: 'ended', exitCode: 0, stdout: xml, stderr: ''}}],
    files: {},
    directories: {},
    existing: [],
    disks: {},
  }
  const [{outcome} = {outcome: {kind: 'missing' as const}}] = shortened(recording).commands
  const short = 'stdout' in outcome ? outcome.stdout : ''
  expect(short).not.toContain('7501 MHz')
  expect(parseNvidiaXml(short)).toEqual(parseNvidiaXml(xml))
})

test('names that are ordinary words stay: a host called nvidia does not spoil its own report', () => {
  const recording: Recording = {
    schemaVersion: 1,
    env: {},
    commands: [{line: 'nvidia-smi', outcome: {kind: 'ended', exitCode: 0, stdout: 'nvidia root server\n', stderr: ''}}],
    files: {},
    directories: {},
    existing: [],
    disks: {},
  }
  expect(cleaned(recording, {hostname: 'nvidia', userNames: ['root'], homes: ['/root']}).commands).toEqual(recording.commands)
})

test('only what was looked at is noted, other devices of the bus are not', async () => {
  const {effects, recording} = recorded(desktop())
  await detectMachine(effects)
  const {env, files, directories} = recording()
  expect(Object.keys(env)).not.toContain('SECRET_OF_MINE')
  expect(Object.keys(env)).not.toContain('HF_TOKEN')
  expect(Object.keys(files).filter((path) => path.endsWith('uevent'))).toHaveLength(1)
  expect(directories['/sys/bus/pci/devices']).toEqual(['0000:c1:00.0'])
})

describe('what cannot be read again', () => {
  const folder = mkdtempSync(join(tmpdir(), 'servefit-replay-'))
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  test.each([
    ['a path that is not there', () => join(folder, 'nowhere')],
    ['a folder without an index', () => folder],
    ['a text without outputs', () => file('letter.md', 'Dear all\n')],
    ['facts of the wrong kind', () => file('wrong.md', '#### facts\n\n~~~~\n{"env": 7}\n~~~~\n')],
  ])('%s', async (_, path) => {
    await expect(readReplay(path())).rejects.toMatchObject({code: 'REPLAY_UNREADABLE'})
  })

  test('an index that names a file elsewhere gets nothing of it', async () => {
    const place = join(folder, 'elsewhere')
    mkdirSync(place)
    writeFileSync(join(folder, 'secret.txt'), 'secret')
    writeFileSync(
      join(place, 'replay.json'),
      JSON.stringify({schemaVersion: 1, env: {}, directories: {}, existing: [], disks: {}, commands: [], files: [{path: '/f', file: '../secret.txt'}]}),
    )
    expect((await readReplay(place)).files).toEqual({'/f': ''})
    expect(readFileSync(join(folder, 'secret.txt'), 'utf8')).toBe('secret')
  })
})

describe('words of one kind and another', () => {
  const clean = (text: string) => {
    const recording: Recording = {
      schemaVersion: 1,
      env: {},
      commands: [{line: 'tool', outcome: {kind: 'ended', exitCode: 0, stdout: text, stderr: ''}}],
      files: {},
      directories: {},
      existing: [],
      disks: {},
    }
    const [{outcome} = {outcome: {kind: 'missing' as const}}] = cleaned(recording, known).commands
    return 'stdout' in outcome ? outcome.stdout : ''
  }
  test.each([
    ['C:\\Users\\Ada Lovelace\\AppData\\x.exe', 'C:\\Users\\user\\AppData\\x.exe'],
    ['/Users/ada/Library', '/Users/user/Library'],
    ['"serial_number": "LQAC20305316",', '"serial_number": "removed",'],
    ['"asic_serial": "0xA1B2C3D4E5F60718"', '"asic_serial": "removed"'],
    ['<serial>1650212345678</serial>', '<serial>removed</serial>'],
    ['\tSerial Number: 8A7F21CC', '\tSerial Number: removed'],
    ['|           | Serial Number: LQAC20305316          |', '|           | Serial Number: removed          |'],
    ['GPU[0]\t\t: Serial Number: 692304000123', 'GPU[0]\t\t: Serial Number: removed'],
    ['on 192.168.7.20:8000, and 10.0.0.1.', 'on 0.0.0.0:8000, and 0.0.0.0.'],
    ['3C:EC:EF:12:34:56', '00:00:00:00:00:00'],
    ['write to ada@example.org', 'write to mail-removed'],
    ['Authorization: Bearer abc.def', 'Authorization: Bearer token-removed'],
    ['python -m x --api-key s3cret', 'python -m x --api-key removed'],
    ['HF_TOKEN=hf_whatever', 'HF_TOKEN=removed'],
    ['0, 01P4-HL3090A0-18-U4V000-00-00-01, HL-325L', '0, removed, HL-325L'],
  ])('%s', (text, expected) => {
    expect(clean(text)).toBe(expected)
  })

  test.each([
    'Driver Version: 595.71.05',
    'hl-1.21.0-fw-59.2.1.0',
    '81559 MiB, 590.48.01',
    'Tue Jul 14 09:00:43 2026',
    'Configured Memory Speed: 4200 MT/s',
    'CPU(s): 0-11,24-35',
    'NV18\tNV18',
    'gfx942, 0x74a1',
  ])('%s stays', (text) => {
    expect(clean(text)).toBe(text)
  })

  test('a tool gone mad does not hold it up', async () => {
    for (const block of ['x', 'serial', '"serial', '"token', '<clocks>', '<clocks>\n', 'location_id 1\n', 'a.b-', '00:', ' ', '0000:c1:00.0 ']) {
      const effort = await effortOf(() => {
        const text = clean(block.repeat(2 ** 21 / block.length))
        shortened({
          schemaVersion: 1,
          env: {},
          commands: [{line: 'nvidia-smi -q -x', outcome: {kind: 'ended', exitCode: 0, stdout: text, stderr: ''}}],
          files: {},
          directories: {},
          existing: [],
          disks: {},
        })
      })
      expect(effort, block).toBeLessThan(300)
    }
  })
})
