package gather

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"

	"github.com/dogker/dogker/internal/audit"
)

// process reads what the kernel says of the first process of a container. A number of a process means something on the
// machine of the engine alone, and may have gone to another process: so it must be in the control group of the container.
func (g *gatherer) process(c container.InspectResponse) (p *audit.Process, why string) {
	if c.ContainerJSONBase == nil || c.State == nil || c.State.Pid == 0 {
		return nil, "its process has no number"
	}
	if g.place.why != "" {
		return nil, g.place.why
	}

	const unreadable = "the kernel's word on its process cannot be read from here"
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", c.State.Pid))
	if err != nil || !strings.Contains(string(groups), c.ID) {
		return nil, unreadable
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.State.Pid))
	if err != nil {
		return nil, unreadable
	}

	p, ok := parseStatus(string(status))
	if !ok {
		return nil, unreadable
	}

	return p, ""
}

// parseStatus reads /proc/<pid>/status. It is false when a line is missing.
func parseStatus(status string) (*audit.Process, bool) {
	p := &audit.Process{}
	missing := map[string]bool{"Uid": true, "NoNewPrivs": true, "Seccomp": true}

	for line := range strings.Lines(status) {
		key, rest, _ := strings.Cut(line, ":")
		fields := strings.Fields(rest)
		if !missing[key] || len(fields) == 0 {
			continue
		}
		n, err := strconv.Atoi(fields[0])
		if err != nil {
			return nil, false
		}

		delete(missing, key)
		switch key {
		case "Uid":
			p.UID = n
		case "NoNewPrivs":
			p.NoNewPrivileges = n == 1
		case "Seccomp":
			p.Seccomp = n
		}
	}

	return p, len(missing) == 0
}
