package snapshotrules

import (
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/defaultclass"
)

const (
	// maxPart is how long a part of the name of an object may be: file systems take no more than 255 bytes, and a suffix is added.
	maxPart = 128
	maxPort = 65535
)

// systemDirs are directories that are the machine's own. Archives in one of them would be in its way, or gone with the next start.
var systemDirs = []string{"/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/root", "/run", "/sbin", "/sys", "/usr", "/var/run"}

// CheckClass says what is wrong with a class. Only the platform writes classes, and still a slip must not mix archives of tenants
// with what servers keep. taken are directories of the server's own, such as its data directory.
func CheckClass(spec *v1alpha1.VolumeSnapshotClassSpec, taken ...string) field.ErrorList {
	at := field.NewPath("spec")

	switch {
	case spec.Directory != nil:
		return checkDirectory(at.Child("directory", "path"), string(spec.Directory.Path), taken)
	case spec.S3 != nil:
		return checkS3(at.Child("s3"), spec.S3)
	default:
		return nil // The schema demands one of them.
	}
}

// checkDirectory refuses a directory in which, or below which, there is something else. Names of namespaces become names of
// directories there, so a directory above one of the server's own is no better than that one.
func checkDirectory(at *field.Path, dir string, taken []string) field.ErrorList {
	if clean := path.Clean(dir); clean != strings.TrimRight(dir, "/") || clean == "/" {
		return field.ErrorList{field.Invalid(at, dir, "must be a directory below /, as an absolute path without . and .., such as /srv/snapshots")}
	}

	dir = path.Clean(dir)
	for _, system := range systemDirs {
		if within(dir, system) {
			return field.ErrorList{field.Invalid(at, dir, "must not be in "+system+", which is the machine's own; a directory such as /srv/snapshots is meant")}
		}
	}
	for _, other := range taken {
		if other = path.Clean(other); within(dir, other) || within(other, dir) {
			return field.ErrorList{field.Invalid(at, dir, fmt.Sprintf("must be apart from %s, which the server keeps its own data in: neither in it nor above it", other))}
		}
	}

	return nil
}

// within is true for a directory, and for all that is in it.
func within(dir, other string) bool {
	return dir == other || strings.HasPrefix(dir, strings.TrimRight(other, "/")+"/")
}

func checkS3(at *field.Path, s *v1alpha1.SnapshotS3) field.ErrorList {
	out := checkEndpoint(at.Child("endpoint"), s)

	if strings.Contains(s.Bucket, "..") {
		out = append(out, field.Invalid(at.Child("bucket"), s.Bucket, "must not hold two dots in a row"))
	}

	return append(out, checkName(at.Child("folder"), s.Folder)...)
}

func checkEndpoint(at *field.Path, s *v1alpha1.SnapshotS3) field.ErrorList {
	u, err := url.Parse(s.Endpoint)
	if err != nil || u.Hostname() == "" {
		return field.ErrorList{field.Invalid(at, s.Endpoint, "must be a scheme and a host, such as https://s3.example.com or https://s3.example.com:9000")}
	}

	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > maxPort {
			return field.ErrorList{field.Invalid(at, s.Endpoint, "must have a port from 1 to 65535")}
		}
	}
	if s.AllowPrivate {
		return nil
	}

	if u.Scheme != "https" {
		return field.ErrorList{field.Invalid(at, s.Endpoint, "must begin with https://, unless allowPrivate is true")}
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil && (!addr.IsGlobalUnicast() || addr.IsPrivate()) {
		return field.ErrorList{field.Invalid(at, s.Endpoint, "must be at a public address, unless allowPrivate is true")}
	}

	return nil
}

// checkName refuses names of objects that no store takes; their characters are the schema's business.
func checkName(at *field.Path, name string) field.ErrorList {
	for part := range strings.SplitSeq(name, "/") {
		if len(part) > maxPart {
			return field.ErrorList{field.Invalid(at, name, fmt.Sprintf("must have parts of at most %d characters between its slashes", maxPart))}
		}
	}

	return nil
}

// Default returns the class for snapshots that name none. It is nil when there is none.
func Default(classes []v1alpha1.VolumeSnapshotClass) *v1alpha1.VolumeSnapshotClass {
	return defaultclass.Of(classes)
}

// Named returns the class of that name; nil when there is none.
func Named(classes []v1alpha1.VolumeSnapshotClass, name v1alpha1.DNSLabel) *v1alpha1.VolumeSnapshotClass {
	if i := slices.IndexFunc(classes, func(c v1alpha1.VolumeSnapshotClass) bool { return c.Name == string(name) }); i >= 0 {
		return &classes[i]
	}

	return nil
}

// ThereAre names the classes that are to stay, for who has named one that is not there: tenants cannot list them, because they say where the
// platform keeps what.
func ThereAre(classes []v1alpha1.VolumeSnapshotClass) string {
	var names []string
	for i := range classes {
		if classes[i].DeletionTimestamp.IsZero() {
			names = append(names, classes[i].Name)
		}
	}
	if len(names) == 0 {
		return "there are none"
	}
	slices.Sort(names)

	return "there are: " + strings.Join(names, ", ")
}
