package content

import (
	"archive/tar"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Root is the directory in tars that stands for the volume itself.
const Root = "volume"

// ErrRefused means that a stream holds something that no volume has, or that is not restored.
var ErrRefused = errors.New("it is refused")

const (
	// maxPath and maxName are what the kernel takes.
	maxPath, maxName = 4096, 255
	// maxID is the highest ID of a user; the one above it means none.
	maxID = 1<<32 - 2
	// maxTime is the latest time that an engine sets, in the year 2262. It sets 1970 for what is later, or earlier than that.
	maxTime = 9223372036
	// maxAttribute is what the kernel takes for all attributes of a file together.
	maxAttribute = 64 << 10

	attributePrefix = "SCHILY.xattr."
	// capability is the one attribute that engines write into their tars.
	capability = "security.capability"
)

// device is a device of characters by its numbers.
type device struct{ major, minor int64 }

// harmless are the devices that every container has. Others open hardware to who can mount them, and are no data.
var harmless = []device{{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, {5, 2}}

// entry is what was understood of an entry of a tar.
type entry struct {
	// path below Root; empty for Root itself.
	path     string
	kind     byte
	mode     int64
	uid, gid int
	time     int64
	size     int64
	// link is the target of a symbolic link, or below Root the one of a hard link.
	link       string
	device     device
	attributes map[string]string
}

// understand reads a header. Its error is ErrRefused, and names the entry and what is wrong.
func understand(h *tar.Header) (entry, error) {
	e := entry{kind: h.Typeflag, mode: h.Mode & 0o7777, uid: h.Uid, gid: h.Gid, time: h.ModTime.Unix()}
	if e.time < 0 || e.time > maxTime {
		e.time = 0
	}

	path, err := below(h.Name, h.Typeflag == tar.TypeDir)
	if err != nil {
		return e, err
	}
	e.path = path

	switch {
	case h.Uid < 0 || h.Uid > maxID || h.Gid < 0 || h.Gid > maxID:
		return e, e.refuse("its owner %d:%d is none", h.Uid, h.Gid)
	case e.path == "" && e.kind != tar.TypeDir:
		return e, e.refuse("it is the volume itself, and no directory")
	}
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return e, e.refuse("it is a sparse file in a form that engines do not write")
		}
	}
	if err := e.takeKind(h); err != nil {
		return e, err
	}

	return e, e.takeAttributes(h)
}

func (e *entry) takeKind(h *tar.Header) error {
	switch e.kind {
	case tar.TypeReg:
		e.size = h.Size
	case tar.TypeDir, tar.TypeFifo:
	case tar.TypeSymlink:
		if e.link = h.Linkname; e.link == "" || len(e.link) >= maxPath {
			return e.refuse("a symbolic link must lead to 1 to %d bytes", maxPath-1)
		}
		e.mode = 0o777 // Nobody reads it, and kernels differ in what they say.
	case tar.TypeLink:
		link, err := below(h.Linkname, false)
		if err != nil || link == "" {
			return e.refuse("a hard link must lead to a file of the volume, not to %s", printable(h.Linkname))
		}
		e.link = link
	case tar.TypeChar:
		e.device = device{h.Devmajor, h.Devminor}
		if !slices.Contains(harmless, e.device) {
			return e.refuse("device %d:%d is none that every container has", h.Devmajor, h.Devminor)
		}
	case tar.TypeBlock:
		return e.refuse("devices of blocks are no data")
	default:
		return e.refuse("entries of type %q are in no volume", e.kind)
	}
	if e.size < 0 || e.kind != tar.TypeReg && h.Size != 0 {
		return e.refuse("its size of %d bytes is none", h.Size)
	}

	return nil
}

// takeAttributes keeps those that belong to data. Labels of security modules belong to a node.
func (e *entry) takeAttributes(h *tar.Header) error {
	total := 0
	for key, value := range h.PAXRecords {
		name, is := strings.CutPrefix(key, attributePrefix)
		if !is || name != capability && !strings.HasPrefix(name, "user.") && !strings.HasPrefix(name, "system.posix_acl_") {
			continue
		}
		if total += len(name) + len(value); total > maxAttribute {
			return e.refuse("its extended attributes have more than %d bytes", maxAttribute)
		}
		if e.attributes == nil {
			e.attributes = map[string]string{}
		}
		e.attributes[name] = value
	}

	return nil
}

// header is the entry as we write it.
func (e *entry) header() *tar.Header {
	h := &tar.Header{
		Typeflag: e.kind, Name: Root, Mode: e.mode, Uid: e.uid, Gid: e.gid, Size: e.size,
		ModTime: time.Unix(e.time, 0), Format: tar.FormatPAX,
		Devmajor: e.device.major, Devminor: e.device.minor,
	}
	if e.path != "" {
		h.Name += "/" + e.path
	}
	switch e.kind {
	case tar.TypeDir:
		h.Name += "/"
	case tar.TypeLink:
		h.Linkname = Root + "/" + e.link
	case tar.TypeSymlink:
		h.Linkname = e.link
	}
	for _, name := range slices.Sorted(maps.Keys(e.attributes)) {
		if h.PAXRecords == nil {
			h.PAXRecords = map[string]string{}
		}
		h.PAXRecords[attributePrefix+name] = e.attributes[name]
	}

	return h
}

func (e *entry) refuse(format string, args ...any) error {
	return fmt.Errorf("entry %s: %s: %w", printable(e.path), fmt.Sprintf(format, args...), ErrRefused)
}

// below is a name relative to Root.
func below(name string, dir bool) (string, error) {
	refuse := func(why string) (string, error) {
		return "", fmt.Errorf("entry %s: %s: %w", printable(name), why, ErrRefused)
	}

	path := name
	if dir {
		path = strings.TrimSuffix(path, "/")
	}
	if path == Root {
		return "", nil
	}
	path, is := strings.CutPrefix(path, Root+"/")
	switch {
	case !is:
		return refuse("its name does not begin with " + Root + "/")
	case len(path) >= maxPath:
		return refuse(fmt.Sprintf("its name must have less than %d bytes", maxPath))
	case strings.ContainsRune(path, 0):
		return refuse("its name must not hold a zero byte")
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." || len(part) > maxName {
			return refuse(fmt.Sprintf("parts of its name must have 1 to %d bytes, and be neither . nor ..", maxName))
		}
	}

	return path, nil
}

// printable is a name fit for a message.
func printable(s string) string {
	const most = 120
	if len(s) > most {
		s = s[:most] + "…"
	}

	return fmt.Sprintf("%q", s)
}
