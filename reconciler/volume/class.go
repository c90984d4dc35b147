package volume

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/defaultclass"
)

// Option names of the driver local.
const (
	optionType   = "type"
	optionDevice = "device"
	optionMount  = "o"
)

// shares are the file systems that the driver local may mount, with what a device of each looks like. All others are on a disk
// of the node, are a directory of it, or keep nothing.
var shares = map[string]struct {
	device  *regexp.Regexp
	example string
}{
	"nfs":  {nfsDevice, ":/export/${uid}"},
	"nfs4": {nfsDevice, ":/export/${uid}"},
	"cifs": {regexp.MustCompile(`^//[^/\s]+/[^\s]*$`), "//server/share/${uid}"},
}

var nfsDevice = regexp.MustCompile(`^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])?:/[^\s]*$`)

// bent are options of a mount that make another one of it: of a directory of the node, of one that is there, or one that
// reaches into other mounts.
var bent = []string{
	"bind", "rbind", "remount", "move", "shared", "rshared", "slave", "rslave", "private", "rprivate", "unbindable", "runbindable",
}

// placeholder is what looks like one of ours.
var placeholder = regexp.MustCompile(`\$\{[^}]*\}?`)

// CheckClass says what is wrong with a class. Only the platform writes classes, and still a slip must not hand a directory
// of a node to tenants, nor the data of one tenant to another. stored is true for a class that is there already: its Volumes stay
// usable where a new class would be refused for what it Reuses.
func CheckClass(spec *v1alpha1.VolumeClassSpec, stored bool) field.ErrorList {
	var out field.ErrorList

	at := field.NewPath("spec", "options")
	for _, key := range slices.Sorted(maps.Keys(spec.Options)) {
		out = append(out, checkValue(at.Key(key), string(spec.Options[key]))...)
	}

	if spec.Driver == localDriver {
		out = append(out, checkLocal(at, spec, stored)...)
	}

	return out
}

// checkValue holds for the options of every driver.
func checkValue(at *field.Path, value string) field.ErrorList {
	var out field.ErrorList

	if strings.Contains(value, "{{") || strings.Contains(value, "}}") {
		out = append(out, field.Invalid(at, value, "must not hold {{ or }}, which the engine reads as a template"))
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		out = append(out, field.Invalid(at, value, "must not hold control characters"))
	}
	for _, found := range placeholder.FindAllString(value, -1) {
		if found != "${namespace}" && found != "${name}" && found != "${uid}" {
			out = append(out, field.Invalid(at, found, "must be one of ${namespace}, ${name} and ${uid}"))
		}
	}

	return out
}

// checkLocal lets the driver local mount shares of the network, and be a directory of the engine's own.
func checkLocal(at *field.Path, spec *v1alpha1.VolumeClassSpec, stored bool) field.ErrorList {
	var out field.ErrorList

	known := []string{optionDevice, optionMount, optionType}
	for _, key := range slices.Sorted(maps.Keys(spec.Options)) {
		if !slices.Contains(known, key) {
			out = append(out, field.NotSupported(at.Key(key), key, known))
		}
	}

	kind, typed := spec.Options[optionType]
	device, shared := spec.Options[optionDevice]

	switch {
	case len(spec.Options) == 0:
		if spec.Access == v1alpha1.AccessMany {
			out = append(out, field.Invalid(field.NewPath("spec", "access"), spec.Access,
				"must be Single for the driver local without options, which keeps data on the disk of one node"))
		}

		return out
	case !typed:
		return append(out, field.Required(at.Key(optionType), "must be nfs, nfs4 or cifs where the driver local has options"))
	case !shared:
		return append(out, field.Required(at.Key(optionDevice), "must be the share to mount"))
	}

	share, ok := shares[string(kind)]
	if !ok {
		return append(out, field.Invalid(at.Key(optionType), string(kind),
			"must be nfs, nfs4 or cifs; directories (none with o=bind), disks of nodes and file systems in memory are refused, because "+
				"containers would see the node, or lose what they write"))
	}
	if !share.device.MatchString(string(device)) {
		out = append(out, field.Invalid(at.Key(optionDevice), string(device), "must be a share such as "+share.example))
	}
	if slices.Contains(strings.Split(string(device), "/"), "..") {
		out = append(out, field.Invalid(at.Key(optionDevice), string(device), "must not hold .."))
	}
	if !apart(string(device)) || !stored && Reuses(spec) {
		out = append(out, field.Invalid(at.Key(optionDevice), string(device),
			"must hold ${uid}, as in "+share.example+"; otherwise several Volumes would be the same files: at once, or one after the other, "+
				"when a tenant or a Volume is made again under a name that there was before"))
	}

	return append(out, checkMountOptions(at.Key(optionMount), string(spec.Options[optionMount]))...)
}

// apart tells whether no two Volumes have the same device. The parts have to be directories of their own: a and b-c must not
// be the same as a-b and c.
func apart(device string) bool {
	parts := strings.Split(device, "/")
	whole := func(what string) bool { return slices.Contains(parts, what) }

	return strings.Contains(device, "${uid}") || whole("${namespace}") && whole("${name}")
}

// Reuses tells whether a Volume of the class finds the files of an earlier one that had its name and its namespace, whose tenant may
// have been another.
func Reuses(spec *v1alpha1.VolumeClassSpec) bool {
	device, shared := spec.Options[optionDevice]

	return spec.Driver == localDriver && shared && !strings.Contains(string(device), "${uid}")
}

func checkMountOptions(at *field.Path, value string) field.ErrorList {
	var out field.ErrorList

	for _, option := range strings.Split(value, ",") {
		if slices.Contains(bent, strings.ToLower(strings.TrimSpace(option))) {
			out = append(out, field.Invalid(at, option, "must be an option of the share; what binds directories or changes other mounts is refused"))
		}
	}

	return out
}

// Default returns the class for Volumes that name none. It is nil when there is none.
func Default(classes []v1alpha1.VolumeClass) *v1alpha1.VolumeClass { return defaultclass.Of(classes) }
