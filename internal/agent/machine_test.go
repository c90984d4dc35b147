package agent

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/reconciler/telemetry"
)

const (
	procStat = `cpu  5725595 4159623 1781114 4540275 106734 0 80208 440082 7 9
cpu0 2826752 2091725 878667 2328940 36248 0 33042 222931 0 0
cpu1 2898842 2067897 902447 2211334 70486 0 47165 217150 0 0
intr 1234567 0 0
ctxt 99
btime 1795315165
processes 12
`
	procMeminfo = `MemTotal:       24684096 kB
MemFree:         1204096 kB
MemAvailable:   18123456 kB
Hugepagesize:       2048 kB
`
)

func proc(t *testing.T, stat, meminfo string) string {
	t.Helper()

	dir := t.TempDir()
	for name, content := range map[string]string{"stat": stat, "meminfo": meminfo} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	return dir
}

func TestReadMachine(t *testing.T) {
	got, err := readMachine(proc(t, procStat, procMeminfo))
	if err != nil {
		t.Fatal(err)
	}

	want := telemetry.Machine{
		Cores: 2,
		// All but idle and iowait; guests are in user already.
		CPU:         time.Duration(5725595+4159623+1781114+80208+440082) * 10 * time.Millisecond,
		MemoryTotal: 24684096 << 10, MemoryAvailable: 18123456 << 10,
		Booted: time.Unix(1795315165, 0),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("machine (-want +got):\n%s", diff)
	}
}

func TestReadMachineRefusesNonsense(t *testing.T) {
	cases := map[string]struct{ reason, stat, meminfo, err string }{
		"NoCPU":       {"A machine has one.", "btime 1\n", procMeminfo, "no lines of CPUs"},
		"NotANumber":  {"It is not taken for zero.", "cpu  a 1\ncpu0 1\nbtime 1\n", procMeminfo, "column 1"},
		"NoMemory":    {"A machine has some.", procStat, "MemFree: 1 kB\n", "MemTotal"},
		"OtherMemory": {"A unit that is not known is no number.", procStat, "MemTotal: 1 MB\n", "MemTotal"},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := readMachine(proc(t, tc.stat, tc.meminfo))
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("got %v, want an error with %q: %s", err, tc.err, tc.reason)
			}
		})
	}
}
