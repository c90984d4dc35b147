package main

import (
	"strings"
	"testing"

	dockerswarm "github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/internal/swarm"
)

func TestAgentFinding(t *testing.T) {
	node := func(name string, state dockerswarm.NodeState) dockerswarm.Node {
		n := dockerswarm.Node{ID: "id-" + name, Status: dockerswarm.NodeStatus{State: state}}
		n.Description.Hostname = name

		return n
	}
	task := func(node string, state, desired dockerswarm.TaskState, err string) dockerswarm.Task {
		return dockerswarm.Task{NodeID: "id-" + node, DesiredState: desired, Status: dockerswarm.TaskStatus{State: state, Err: err}}
	}
	nodes := []dockerswarm.Node{node("one", "ready"), node("two", "ready"), node("three", "down")}

	cases := map[string]struct {
		reason string
		tasks  []dockerswarm.Task
		level  swarm.Level
		says   string
	}{
		"AllRun": {
			reason: "What has ended is history, and of a node that is down nothing is known.",
			tasks:  []dockerswarm.Task{task("two", "running", "running", ""), task("two", "failed", "shutdown", "boom"), task("three", "pending", "running", "")},
			level:  swarm.LevelOK, says: "1 run",
		},
		"OneFails": {
			reason: "The engine's words say what to do.",
			tasks:  []dockerswarm.Task{task("one", "running", "running", ""), task("two", "rejected", "running", "No such image")},
			level:  swarm.LevelWarning, says: "not on two (No such image)",
		},
		"OneStarts": {
			reason: "Without words there is the state.",
			tasks:  []dockerswarm.Task{task("two", "preparing", "running", "")},
			level:  swarm.LevelWarning, says: "two (preparing)",
		},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := agentFinding(nodes, tc.tasks); got.Level != tc.level || !strings.Contains(got.Detail, tc.says) {
				t.Errorf("got %+v, want %s with %q: %s", got, tc.level, tc.says, tc.reason)
			}
		})
	}
}

func TestAgentFlags(t *testing.T) {
	good := agentFlags{image: "example.com/dogker:1", port: 6444, socket: "/run/{{.Node.Hostname}}/docker.sock"}
	if err := good.validate(); err != nil {
		t.Errorf("good flags: %v", err)
	}
	if err := (&agentFlags{}).validate(); err != nil {
		t.Errorf("no agents: %v", err)
	}

	for says, change := range map[string]func(*agentFlags){
		"--agent-image \"Not An Image\"": func(f *agentFlags) { f.image = "Not An Image" },
		"--agent-port 0":                 func(f *agentFlags) { f.port = 0 },
		"--agent-engine-socket \"sock\"": func(f *agentFlags) { f.socket = "sock" },
		"without . and ..":               func(f *agentFlags) { f.socket = "/run/../sock" },
	} {
		f := good
		change(&f)
		if err := f.validate(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want an error with %q", err, says)
		}
	}
}
