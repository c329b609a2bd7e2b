import { expect } from 'chai';
import { readAlerts } from '../../../edge/haproxy/check-config.ts';
import { joinCommands } from '../../../edge/haproxy/master-socket.ts';
import {
  readFailedReloads,
  readInfo,
  readOldWorkers,
  readSessions,
  readStat,
} from '../../../edge/haproxy/read-state.ts';

const STAT = `# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,status,weight,lastchg,uweight,
web,FRONTEND,,,4,9,2000,37,1234,56789,OPEN,,,,
web,10.0.0.1:80,0,0,3,5,,20,1,2,UP 1/2,1,17,5,
web,10.0.0.2:80,0,0,1,5,,17,1,2,MAINT,1,4,0,
web,10.0.0.3:80,0,0,0,5,,0,1,2,DOWN,1,4,,
web,BACKEND,0,0,4,9,200,37,1234,56789,UP,1,17,6,

`;

describe('edge: what HAProxy says', () => {
  it('reads servers and numbers of each proxy', () => {
    const web = readStat(STAT).get('web');
    expect(web?.numbers).to.deep.equal({ sessions: 4, totalSessions: 37, bytesIn: 1234, bytesOut: 56_789 });
    expect(web?.servers).to.deep.equal([
      { name: '10.0.0.1:80', maintained: false, up: true, weight: 5, sessions: 3 },
      { name: '10.0.0.2:80', maintained: true, up: false, weight: 0, sessions: 1 },
      { name: '10.0.0.3:80', maintained: false, up: false, sessions: 0 },
    ]);
  });

  it('knows a worker by what it says of itself, and that none answers', () => {
    expect(readInfo('Name: HAProxy\nVersion: 2.6.12\nPid: 9\ndescription: fairlead-abc\n')).to.deep.equal({
      pid: 9,
      version: '2.6.12',
      description: 'fairlead-abc',
    });
    expect(readInfo("Can't find the target PID matching the prefix '@1'\n")).to.equal(undefined);
  });

  it('counts reloads that failed', () => {
    const head = '#<PID>          <type>          <reloads>       <uptime>        <version>\n';
    expect(
      readFailedReloads(`${head}6               master          2 [failed: 1]   0d00h00m07s     2.6.12\n`),
    ).to.equal(1);
    expect(readFailedReloads('')).to.equal(undefined);
  });

  it('knows which workers are old', () => {
    const lines = [
      '#<PID>          <type>          <reloads>       <uptime>        <version>',
      '6               master          2 [failed: 0]   0d00h00m07s     2.6.12',
      '# workers',
      '31              worker          0               0d00h00m01s     2.6.12',
      '# old workers',
    ];
    const old = [
      '22              worker          1               0d00h00m04s     2.6.12',
      '9               worker          2               0d00h00m07s     2.6.12',
    ];
    const programs = ['# programs', '40              exporter        0               0d00h00m01s     -'];
    expect(readOldWorkers(`${[...lines, ...old, ...programs].join('\n')}\n`)).to.deep.equal([22, 9]);
    expect(readOldWorkers([...lines, ...old].join('\n'))).to.deep.equal([22, 9]);
    expect(readOldWorkers([...lines, ...programs].join('\n'))).to.deep.equal([]);
    expect(readOldWorkers(lines.slice(0, -1).join('\n'))).to.deep.equal([]);
  });

  it('knows which connections a server has', () => {
    const text = [
      '0x55a61598ea30: proto=tcpv4 src=127.0.0.1:46770 fe=web be=web srv=10.0.0.1:80 ts=00 epoch=0 age=2s calls=3',
      '0x55a615aaa3a0: proto=sockpair src=unix:1 fe=GLOBAL be=<NONE> srv=<none> ts=00 epoch=0 age=0s calls=1',
      '0x55a61598eb00: proto=tcpv6 src=2001:db8::9:4 fe=web be=web srv=2001:db8::1:80 ts=00 epoch=0 age=2s',
    ].join('\n');
    expect(readSessions(`${text}\n\n`)).to.deep.equal([
      { id: '0x55a61598ea30', server: 'web/10.0.0.1:80' },
      { id: '0x55a615aaa3a0', server: '<NONE>/<none>' },
      { id: '0x55a61598eb00', server: 'web/2001:db8::1:80' },
    ]);
    expect(readSessions('')).to.deep.equal([]);
  });

  it('tells faults by the lines of the file, and leaves out what only counts them', () => {
    const said = [
      '[NOTICE]   (7) : haproxy version is 2.6.12',
      "[ALERT]    (7) : config : parsing [/f/c.cfg:3] : error detected while parsing ACL 'allowed' : no.",
      "[ALERT]    (7) : config : [/f/c.cfg:9] (some) : unknown user 'x'.",
      '[ALERT]    (7) : config : something without a line',
      '[ALERT]    (7) : config : Error(s) found in configuration file : /f/c.cfg',
      '[ALERT]    (7) : config : Fatal errors found in configuration.',
    ].join('\n');
    expect(readAlerts(said, '/f/c.cfg')).to.deep.equal([
      { line: 3, message: "error detected while parsing ACL 'allowed' : no." },
      { line: 9, message: "(some) : unknown user 'x'." },
      { line: undefined, message: 'something without a line' },
    ]);
  });

  it('puts commands on as few lines as HAProxy takes, all of them, in order', () => {
    const commands = Array.from({ length: 1000 }, (_, index) => `enable server proxy/server-${index}`);
    const lines = joinCommands(commands);
    expect(lines.every((line) => line.length <= 8_000)).to.equal(true);
    expect(lines.length).to.be.lessThan(10);
    expect(lines.flatMap((line) => line.split('; '))).to.deep.equal(commands.map((each) => `@1 ${each}`));
  });
});
