package compose

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	allCapabilities = "ALL"
	netRaw          = "NET_RAW"
	// mostOpenFiles is the most that ulimit nofile may be (rule C4).
	mostOpenFiles = 65536
)

// baselineCapabilities are those that Kubernetes' baseline profile lets a container add: the engine's own set, but for raw
// sockets. Others are in no container, so that there is nothing to drop.
var baselineCapabilities = []string{
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP",
	"SETUID", "SYS_CHROOT",
}

// safeSysctls are Kubernetes' safe list (rule C3).
var safeSysctls = []string{
	"kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.ip_unprivileged_port_start",
	"net.ipv4.ping_group_range", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_keepalive_probes",
	"net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_rmem", "net.ipv4.tcp_syncookies", "net.ipv4.tcp_wmem",
}

// security converts who the process is, and what it may.
func (s *service) security() {
	sec := &v1alpha1.Security{ReadOnlyRootFilesystem: s.ReadOnly, Init: s.Init}
	s.user(sec)
	sec.Capabilities = s.capabilities()
	if *sec != (v1alpha1.Security{}) {
		s.spec.Security = sec
	}
	for i, option := range s.SecurityOpt {
		at := index(s.path("security_opt"), i)
		switch strings.ReplaceAll(option, "=", ":") {
		case "no-new-privileges", "no-new-privileges:true":
			s.note(at, option, "the security profile restricted has it for all containers, and no field asks for it", "")
		default:
			s.refused(at, option, "seccomp, AppArmor and SELinux are the platform's (rule C2)", "leave it out")
		}
	}
}

func (s *service) user(sec *v1alpha1.Security) {
	if s.User == "" {
		return
	}
	user, group, both := strings.Cut(s.User, ":")
	uid, ok := number(user)
	if !ok {
		s.lost(s.path("user"), s.User, "a user is a number, because a name in an image can stand for root (rule U1)", "name the number that the image has for it")
		return
	}
	sec.RunAsUser = &uid
	if !both {
		return
	}
	gid, ok := number(group)
	if !ok {
		s.lost(s.path("user"), s.User, "a group is a number", "name the number that the image has for it")
		return
	}
	sec.RunAsGroup = &gid
}

// number of a user or group; root has one that every image agrees on.
func number(name string) (int64, bool) {
	if name == "root" {
		return 0, true
	}
	n, err := strconv.ParseInt(name, 10, 32)

	return n, err == nil && n >= 0
}

func (s *service) capabilities() *v1alpha1.Capabilities {
	var out v1alpha1.Capabilities
	for i, text := range s.CapAdd {
		name, at := capability(text), index(s.path("cap_add"), i)
		switch {
		case !slices.Contains(baselineCapabilities, name):
			s.refused(at, text, "it reaches beyond the container (rule C1)", "do without it, or run what needs it outside")
		case !slices.Contains(out.Add, name):
			out.Add = append(out.Add, name)
		}
	}
	for i, text := range s.CapDrop {
		name, at := capability(text), index(s.path("cap_drop"), i)
		switch {
		case name != allCapabilities && name != netRaw && !slices.Contains(baselineCapabilities, name):
			s.note(at, text, "no container has it, so there is nothing to drop", "")
		case !slices.Contains(out.Drop, name):
			out.Drop = append(out.Drop, name)
		}
	}
	if len(out.Drop) > 0 && !slices.Contains(out.Drop, allCapabilities) && !slices.Contains(out.Drop, netRaw) {
		// Whoever names none has it dropped by default; whoever names some must name it.
		out.Drop = append(out.Drop, netRaw)
		s.changed(s.path("cap_drop"), "", "NET_RAW is dropped as well (rule C1)", "")
	}
	if len(out.Add)+len(out.Drop) == 0 {
		return nil
	}

	return &out
}

func capability(name string) string { return strings.TrimPrefix(strings.ToUpper(name), "CAP_") }

// limits converts what the kernel allows the process.
func (s *service) limits() {
	for _, name := range sorted(s.Ulimits) {
		u, at := s.Ulimits[name], s.path("ulimits."+name)
		if u == nil {
			continue
		}
		soft, hard := int64(u.Soft), int64(u.Hard)
		if u.Single != 0 {
			soft, hard = int64(u.Single), int64(u.Single)
		}
		if name != "nofile" {
			s.refused(at, fmt.Sprintf("%d:%d", soft, hard), "of ulimits a tenant sets nofile (rule C4)", "do without it")
			continue
		}
		if hard < 0 {
			hard = mostOpenFiles + 1
		}
		if soft < 0 {
			soft = hard
		}
		hard = s.number("ulimits.nofile.hard", hard, 0, mostOpenFiles, "there are at most 65536 open files (rule C4)")
		soft = min(soft, hard)
		s.spec.Ulimits = append(s.spec.Ulimits, v1alpha1.Ulimit{Name: name, Soft: soft, Hard: hard})
	}
	for _, name := range sorted(s.Sysctls) {
		value, at := s.Sysctls[name], s.path("sysctls."+name)
		why := aText(value, maxShort)
		switch {
		case !slices.Contains(safeSysctls, name):
			s.refused(at, value, "it is not among the sysctls that are a container's own (rule C3)", "do without it, or ask the operator of the platform to set it")
		case why != "":
			s.lost(at, "", why, "")
		default:
			if s.spec.Sysctls == nil {
				s.spec.Sysctls = map[string]v1alpha1.ShortText{}
			}
			s.spec.Sysctls[name] = v1alpha1.ShortText(value)
		}
	}
}
