package swarm

import (
	"strings"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/system"
)

func TestFindings(t *testing.T) {
	manager := swarm.Info{NodeID: "n1", LocalNodeState: swarm.LocalNodeStateActive, ControlAvailable: true, Nodes: 3, Managers: 1}
	worker := swarm.Info{NodeID: "n2", LocalNodeState: swarm.LocalNodeStateActive}

	cases := map[string]struct {
		reason string
		got    Finding
		level  Level
		remedy string
	}{
		"Manager": {"A manager is what Dogker needs.", membership(manager), LevelOK, ""},
		"Worker":  {"A worker cannot be asked, and it is said how to change that.", membership(worker), LevelProblem, "docker node promote n2"},
		"NoSwarm": {
			"An engine in no swarm needs one command.",
			membership(swarm.Info{LocalNodeState: swarm.LocalNodeStateInactive}), LevelProblem, "docker swarm init",
		},
		"Locked": {
			"A locked swarm needs its key.",
			membership(swarm.Info{LocalNodeState: swarm.LocalNodeStateLocked}), LevelProblem, "docker swarm unlock",
		},
		"NewEngine": {"A newer API is fine.", version(system.Info{}, "1.51"), LevelOK, ""},
		"OldEngine": {"Below 1.41 counts of running tasks are missing.", version(system.Info{}, "1.40"), LevelProblem, "1.41"},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.got.Level != tc.level || !strings.Contains(tc.got.Remedy, tc.remedy) {
				t.Errorf("%s\ngot %+v, want %s with %q", tc.reason, tc.got, tc.level, tc.remedy)
			}
		})
	}
}

func TestConnectionWithoutTLS(t *testing.T) {
	t.Setenv("DOCKER_TLS_VERIFY", "")
	t.Setenv("DOCKER_CERT_PATH", "")

	if got := connection("tcp://10.0.0.1:2375"); len(got) != 1 || got[0].Level != LevelWarning {
		t.Errorf("a socket without TLS is root for everybody who reaches it: got %v", got)
	}
	if got := connection("unix:///var/run/docker.sock"); got != nil {
		t.Errorf("a local socket is guarded by its permissions: got %v", got)
	}
}
