package gather

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/dogker/dogker/internal/audit"
)

// place is where the engine is.
type place struct {
	// why the machine of the engine cannot be looked at; empty when it is this one.
	why string
	// pid of the process that holds the engine's socket.
	pid    int
	socket string
}

// host looks at the machine of the engine where it is this one.
func (g *gatherer) host(ctx context.Context) error {
	g.place = locate(ctx, g.docker.DaemonHost())
	if g.place.why != "" {
		g.in.HostUnseen = g.place.why

		return nil
	}

	g.in.Host = &audit.Host{
		Files:           files(g.place.socket),
		DockerGroup:     membersOf("docker"),
		OwnPartition:    ownPartition(g.in.Engine.Info.DockerRootDir),
		ListenAddresses: listening(g.place.pid, 2377),
	}

	return nil
}

// locate asks the kernel who holds the socket: only a process of the engine, or the init that starts it when it is called,
// is an engine of this machine. It may as well be the end of a tunnel.
func locate(ctx context.Context, host string) place {
	socket, ok := local(host)
	if !ok {
		return place{why: "the engine is on another machine"}
	}

	conn, err := (&net.Dialer{Timeout: callTimeout}).DialContext(ctx, "unix", socket)
	if err != nil {
		return place{why: "the engine's socket cannot be looked at"}
	}
	defer conn.Close()

	pid := peer(conn)
	comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	name := strings.TrimSpace(string(comm))
	if err != nil || name != "dockerd" && name != "systemd" {
		return place{why: "what holds the engine's socket is no engine of this machine"}
	}

	return place{pid: pid, socket: socket}
}

// peer is the process at the other end of a socket; 0 when the kernel does not tell.
func peer(conn net.Conn) int {
	c, ok := conn.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}

	pid := 0
	_ = raw.Control(func(fd uintptr) {
		if cred, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED); err == nil {
			pid = int(cred.Pid)
		}
	})

	return pid
}

// unitDirs are where distributions and administrators put units; the first that has one wins.
var unitDirs = []string{"/etc/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"}

func files(socket string) map[string]audit.File {
	found := map[string]audit.File{}
	for _, path := range []string{
		audit.FileDockerDir, audit.FileDaemonJSON, audit.FileDefaults, audit.FileSysconfig, audit.FileContainerdSocket,
	} {
		note(found, path, path)
	}
	note(found, audit.FileEngineSocket, socket)
	for _, dir := range unitDirs {
		note(found, audit.FileDockerService, filepath.Join(dir, audit.FileDockerService))
		note(found, audit.FileDockerSocketUnit, filepath.Join(dir, audit.FileDockerSocketUnit))
	}

	return found
}

// note looks at a file unless one of that name has been found already.
func note(found map[string]audit.File, name, path string) {
	if _, there := found[name]; there {
		return
	}
	info, err := os.Stat(path)
	if err != nil {
		return
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}

	f := audit.File{Mode: info.Mode(), Owner: strconv.Itoa(int(stat.Uid)), Group: strconv.Itoa(int(stat.Gid))}
	if u, err := user.LookupId(f.Owner); err == nil {
		f.Owner = u.Username
	}
	if group, err := user.LookupGroupId(f.Group); err == nil {
		f.Group = group.Name
	}
	found[name] = f
}

// membersOf a group, as /etc/group has them.
func membersOf(group string) []string {
	content, err := os.ReadFile("/etc/group")
	if err != nil {
		return nil
	}

	for line := range strings.Lines(string(content)) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) == 4 && fields[0] == group && fields[3] != "" {
			return strings.Split(fields[3], ",")
		}
	}

	return nil
}

// ownPartition compares the devices of a directory and of the one above it.
func ownPartition(dir string) *bool {
	var in, above syscall.Stat_t
	if dir == "" || syscall.Stat(dir, &in) != nil || syscall.Stat(filepath.Dir(dir), &above) != nil {
		return nil
	}
	own := in.Dev != above.Dev

	return &own
}

// listening are the addresses on which something listens on a port, in the network of a process.
func listening(pid int, port uint16) []string {
	var found []string
	for _, table := range []string{"tcp", "tcp6"} {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(content)) {
			if a, ok := listener(line); ok && a.Port() == port {
				found = append(found, a.Addr().Unmap().String())
			}
		}
	}
	slices.Sort(found)

	return slices.Compact(found)
}

// listener reads a line of /proc/net/tcp: the second field is the local address, in words of the machine's byte order, and
// the fourth the state.
func listener(line string) (netip.AddrPort, bool) {
	const listens = "0A"

	fields := strings.Fields(line)
	if len(fields) < 4 || fields[3] != listens {
		return netip.AddrPort{}, false
	}
	address, port, _ := strings.Cut(fields[1], ":")
	words, err := hex.DecodeString(address)
	if err != nil || len(words)%4 != 0 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(words); i += 4 {
		binary.NativeEndian.PutUint32(words[i:], binary.BigEndian.Uint32(words[i:]))
	}
	a, ok := netip.AddrFromSlice(words)
	n, err := strconv.ParseUint(port, 16, 16)

	return netip.AddrPortFrom(a, uint16(n)), ok && err == nil
}
