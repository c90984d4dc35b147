package compose

import (
	"fmt"
	"strconv"

	"github.com/docker/go-units"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

const (
	leastLog     = 16 << 10
	mostLog      = 100 << 20
	mostLogFiles = 10
)

// logging converts where the engine keeps the output.
func (s *service) logging() {
	l := s.Logging
	if l == nil {
		return
	}
	driver := l.Driver
	switch driver {
	case "json-file", "local":
	case "":
		driver = "json-file"
	case "none":
		s.refused(s.path("logging.driver"), driver, "output that nobody keeps explains nothing (rule L1)", "limit it instead, by max-size")
		return
	default:
		s.refused(s.path("logging.driver"), driver, "drivers that connect out do so from the node (rule L1)",
			"let the operator configure the engine, or send logs from the program")
		return
	}

	out := &v1alpha1.Logging{Driver: driver}
	for _, name := range sorted(l.Options) {
		s.logOption(out, name, l.Options[name])
	}
	if len(l.Options) > 0 || l.Driver != "" {
		s.spec.Logging = out
	}
}

func (s *service) logOption(out *v1alpha1.Logging, name, value string) {
	at := "logging.options." + name
	switch name {
	case "max-size":
		size, err := units.RAMInBytes(value)
		if err != nil || size <= 0 {
			s.lost(s.path(at), value, "it is no size such as 10m", "")
			return
		}
		size = s.number(at, size, leastLog, mostLog, "a log has 16 KiB to 100 MiB (rule L1)")
		out.MaxSize = resource.NewQuantity(size, resource.BinarySI)
	case "max-file":
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			s.lost(s.path(at), value, "it is no number", "")
			return
		}
		out.MaxFiles = new(int32(s.number(at, n, 1, mostLogFiles, "there are 1 to 10 files (rule L1)")))
	default:
		s.lost(s.path(at), "", fmt.Sprintf("of options there are max-size and max-file, not %q", name), "")
	}
}

// hosts are refused, one by one.
func (s *service) hosts() {
	for _, name := range sorted(s.ExtraHosts) {
		for _, address := range s.ExtraHosts[name] {
			s.refused(s.path("extra_hosts"), name+"="+address, "names are the engine's and the DNS server's to resolve (rule N4)",
				"use the address itself, or a name that DNS knows")
		}
	}
}
