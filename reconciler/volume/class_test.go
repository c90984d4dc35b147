package volume

import (
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/mount"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

func TestCheckClass(t *testing.T) {
	type options = map[string]v1alpha1.DriverOption

	nfs := func(device, o v1alpha1.DriverOption) options {
		return options{"type": "nfs", "device": device, "o": o}
	}

	cases := map[string]struct {
		why     string
		driver  string
		access  v1alpha1.VolumeAccess
		options options
		// says is a part of the refusal; empty when there is none.
		says string
	}{
		"Plain":         {"A directory of the engine's own.", "local", "Single", nil, ""},
		"PlainMany":     {"Each node would have its own, without a word.", "local", "Many", nil, "spec.access"},
		"NFS":           {"A share with a directory for each.", "local", "Many", nfs(":/export/${uid}", "addr=10.0.0.5,rw,nfsvers=4"), ""},
		"NFSByHost":     {"The server may be in the device, and the names beside the UID.", "local", "Many", nfs("store:/export/${namespace}/${name}/${uid}", "rw"), ""},
		"NFSByName":     {"A later tenant of the same name would find the files of the earlier one.", "local", "Many", nfs("store:/export/${namespace}/${name}", "rw"), "must hold ${uid}, as in :/export/${uid}"},
		"CIFS":          {"The same for CIFS.", "local", "Many", options{"type": "cifs", "device": "//store/share/${uid}", "o": "username=u,password=p"}, ""},
		"Plugin":        {"Options of a plugin are the plugin's.", "rexray/ebs:0.11", "Single", options{"iops": "100"}, ""},
		"Bind":          {"T3: the directory of a node, without the word bind among the types.", "local", "Single", options{"type": "none", "o": "bind", "device": "/etc"}, "spec.options[type]"},
		"BindByNFS":     {"Nor with it among the options of a share: the kernel then heeds no type.", "local", "Many", nfs(":/export/${uid}", "rw,BIND"), "spec.options[o]"},
		"RBind":         {"Nor with all that is below.", "local", "Many", nfs(":/export/${uid}", " rbind"), "spec.options[o]"},
		"Remount":       {"Nor is what is there mounted otherwise.", "local", "Many", nfs(":/export/${uid}", "remount"), "spec.options[o]"},
		"Templated":     {"T3, G1: the engine reads templates.", "local", "Single", options{"type": "none", "o": `{{"bi"}}nd`, "device": "/etc"}, "{{"},
		"TemplatedName": {"Also in options of plugins.", "plugin", "Single", options{"path": `{{.Node.Hostname}}`}, "{{"},
		"Disk":          {"A disk of a node.", "local", "Single", options{"type": "ext4", "device": "/dev/sda1"}, "spec.options[type]"},
		"DeviceAsNFS":   {"However it is called.", "local", "Many", nfs("/dev/${uid}", "rw"), "spec.options[device]"},
		"Memory":        {"What keeps nothing is no volume.", "local", "Single", options{"type": "tmpfs", "device": "tmpfs"}, "spec.options[type]"},
		"NoType":        {"Without a type the engine takes what comes.", "local", "Single", options{"device": ":/x/${uid}"}, "spec.options[type]"},
		"NoDevice":      {"A share has a name.", "local", "Many", options{"type": "nfs"}, "spec.options[device]"},
		"Shared":        {"All tenants would have the same files.", "local", "Many", nfs(":/export", "rw"), "same files"},
		"SharedByName":  {"So would those with a name in common.", "local", "Many", nfs(":/export/${name}", "rw"), "same files"},
		"RunTogether":   {"a and b-c are not a-b and c.", "local", "Many", nfs(":/export/${namespace}-${name}", "rw"), "same files"},
		"Up":            {"A directory has no way up.", "local", "Many", nfs(":/export/../${uid}", "rw"), "must not hold .."},
		"UnknownOption": {"The driver local has three options.", "local", "Many", options{"type": "nfs", "device": ":/x/${uid}", "size": "1"}, "spec.options[size]"},
		"UnknownMark":   {"A placeholder that is none would be a directory of that name.", "local", "Many", nfs(":/export/${uid}/${tenant}", "rw"), "${tenant}"},
		"OpenMark":      {"One that has no end, too.", "local", "Many", nfs(":/export/${uid}/${name", "rw"), "${name"},
		"Control":       {"Nothing that no terminal shows.", "plugin", "Single", options{"x": "a\nb"}, "control characters"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			errs := CheckClass(&v1alpha1.VolumeClassSpec{Driver: tc.driver, Access: tc.access, Options: tc.options}, false)
			text := ""
			if len(errs) > 0 {
				text = errs.ToAggregate().Error()
			}
			if (text == "") != (tc.says == "") || !strings.Contains(text, tc.says) {
				t.Errorf("%s\ngot %q, want something with %q", tc.why, text, tc.says)
			}
		})
	}
}

// TestStoredClass: a class by names that is there already goes on, and is known for what it is; one that hands all files to all does not.
func TestStoredClass(t *testing.T) {
	for device, ok := range map[v1alpha1.DriverOption]bool{":/export/${namespace}/${name}": true, ":/export/${namespace}-${name}": false, ":/export": false} {
		spec := &v1alpha1.VolumeClassSpec{Driver: "local", Access: v1alpha1.AccessMany, Options: map[string]v1alpha1.DriverOption{"type": "nfs", "device": device}}
		if errs := CheckClass(spec, true); (len(errs) == 0) != ok || !Reuses(spec) {
			t.Errorf("%s: got %v, and %v that it reuses files", device, errs, Reuses(spec))
		}
		if len(CheckClass(spec, false)) == 0 {
			t.Errorf("%s is accepted for a new class", device)
		}
	}
	if Reuses(&local().Spec) {
		t.Error("a directory of the engine's own is no file of an earlier Volume")
	}
}

// TestOptionsTellVolumesApart: with options that are accepted, no two Volumes have the same device, and none holds a template.
func TestOptionsTellVolumesApart(t *testing.T) {
	label := rapid.StringMatching(`[a-z0-9]([-a-z0-9]{0,3}[a-z0-9])?`)
	piece := rapid.SampledFrom([]string{"a", "-", "/", "${namespace}", "${name}", "${uid}", "b"})

	rapid.Check(t, func(t *rapid.T) {
		device := ":/" + strings.Join(rapid.SliceOfN(piece, 1, 7).Draw(t, "device"), "")
		class := local(share(map[string]v1alpha1.DriverOption{"type": "nfs", "device": v1alpha1.DriverOption(device)}))
		stored := rapid.Bool().Draw(t, "stored")
		if len(CheckClass(&class.Spec, stored)) > 0 {
			return
		}

		x, y := data(), data()
		x.Namespace, x.Name, x.UID = label.Draw(t, "namespace"), label.Draw(t, "name"), "uid-1"
		y.Namespace, y.Name, y.UID = label.Draw(t, "namespace"), label.Draw(t, "name"), "uid-2"
		if stored && x.Namespace == y.Namespace && x.Name == y.Name {
			return // The same name, made anew: its class says so.
		}
		if one, two := Options(x, class)["device"], Options(y, class)["device"]; one == two || strings.Contains(one+two, "${") {
			t.Fatalf("%s and %s: %q and %q", x.Namespace+"/"+x.Name, y.Namespace+"/"+y.Name, one, two)
		}
	})
}

func TestMount(t *testing.T) {
	v := data()
	v.Spec.Size = resource.MustParse("2Gi")
	at := v1alpha1.VolumeMount{Name: "data", MountPath: "/var/lib/data", ReadOnly: true}
	labels := map[string]string{
		"io.dogker.managed": "true", "io.dogker.tenant": "acme", "io.dogker.kind": "Volume", "io.dogker.name": "data", "io.dogker.uid": "uid-1",
	}

	plain := mount.Mount{
		Type: mount.TypeVolume, Source: Name(v), Target: "/var/lib/data", ReadOnly: true, VolumeOptions: &mount.VolumeOptions{Labels: labels},
	}
	if diff := cmp.Diff(plain, Mount(v, local(), at)); diff != "" {
		t.Errorf("the engine's own driver (-want +got):\n%s", diff)
	}

	class := local(share(map[string]v1alpha1.DriverOption{"path": "/${namespace}/${name}/${uid}"}))
	class.Spec.Driver, class.Spec.SizeOption = "plugin", "size"
	want := &mount.Driver{Name: "plugin", Options: map[string]string{"path": "/acme/data/uid-1", "size": "2147483648"}}
	if diff := cmp.Diff(want, Mount(v, class, at).VolumeOptions.DriverConfig); diff != "" {
		t.Errorf("a plugin (-want +got):\n%s", diff)
	}
}

// TestNames: no two Volumes have the same name on an engine, and a Volume that is made anew has another.
func TestNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		label := rapid.StringMatching(`[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?`)
		x, y := data(), data()
		x.Namespace, x.Name, x.UID = label.Draw(t, "namespace"), label.Draw(t, "name"), types.UID(rapid.String().Draw(t, "uid"))
		y.Namespace, y.Name, y.UID = label.Draw(t, "namespace"), label.Draw(t, "name"), types.UID(rapid.String().Draw(t, "uid"))

		for _, v := range []*v1alpha1.Volume{x, y} {
			if n := Name(v); len(n) > 63 || strings.ContainsAny(n, "{}$/ ") {
				t.Fatalf("name %q", n)
			}
			if n := ReleasedName(Name(v)); strings.Contains(n, "_") {
				t.Fatalf("name of an object %q", n)
			}
		}
		if x.UID != y.UID && Name(x) == Name(y) {
			t.Fatalf("both are %q", Name(x))
		}
	})
}

func TestDefault(t *testing.T) {
	class := func(name string, age int64, marked string) v1alpha1.VolumeClass {
		c := local()
		c.Name, c.CreationTimestamp = name, metav1.Time{Time: time.Unix(100-age, 0)}
		c.Annotations = map[string]string{v1alpha1.AnnotationDefaultClass: marked}

		return *c
	}
	name := func(c *v1alpha1.VolumeClass) string {
		if c == nil {
			return ""
		}

		return c.Name
	}

	cases := map[string]struct {
		why     string
		classes []v1alpha1.VolumeClass
		want    string
	}{
		"None":     {"Without one nothing is filled in.", nil, ""},
		"Unmarked": {"Only true is true.", []v1alpha1.VolumeClass{class("a", 1, "yes")}, ""},
		"Newest":   {"As in Kubernetes.", []v1alpha1.VolumeClass{class("old", 9, "true"), class("new", 1, "true")}, "new"},
		"Tie":      {"One of two, always the same.", []v1alpha1.VolumeClass{class("b", 1, "true"), class("a", 1, "true")}, "a"},
	}
	for n, tc := range cases {
		t.Run(n, func(t *testing.T) {
			if got := name(Default(tc.classes)); got != tc.want {
				t.Errorf("%s\ngot %q, want %q", tc.why, got, tc.want)
			}
		})
	}
}

func TestCheckVolume(t *testing.T) {
	sized := func(size string) func(*v1alpha1.Volume) {
		return func(v *v1alpha1.Volume) { v.Spec.Size = resource.MustParse(size) }
	}
	limited := func(c *v1alpha1.VolumeClass) { c.Spec.MaxSize = new(resource.MustParse("10Gi")) }
	enforced := func(c *v1alpha1.VolumeClass) { c.Spec.SizeOption = "size" }
	plugin := func(c *v1alpha1.VolumeClass) { c.Spec.Driver = "example/block:1.0" }
	restores := func(snapshot v1alpha1.ObjectName) func(*v1alpha1.Volume) {
		return func(v *v1alpha1.Volume) { v.Spec.RestoreFrom = snapshot }
	}
	restoring := func(phase v1alpha1.RestorePhase) func(*v1alpha1.Volume) {
		return func(v *v1alpha1.Volume) { v.Status.Restore = &v1alpha1.VolumeRestore{Snapshot: "monday", Phase: phase} }
	}
	moving := func(phase v1alpha1.MovePhase) func(*v1alpha1.Volume) {
		return func(v *v1alpha1.Volume) {
			v.Status.Move = &v1alpha1.VolumeMove{Phase: phase, To: v1alpha1.VolumeNode{ID: "b", Hostname: "host-b"}}
		}
	}

	cases := map[string]struct {
		why    string
		now    *v1alpha1.Volume
		before *v1alpha1.Volume
		class  *v1alpha1.VolumeClass
		says   string
	}{
		"New":           {"It is within the limit.", data(sized("10Gi")), nil, local(limited), ""},
		"TooLarge":      {"It is beyond it.", data(sized("11Gi")), nil, local(limited), "at most 10Gi"},
		"GrowsTooLarge": {"So is one that grows.", data(sized("11Gi")), data(), local(limited), "at most 10Gi"},
		"LimitLowered":  {"What was let in stays in.", data(sized("11Gi")), data(sized("11Gi")), local(limited), ""},
		"Grows":         {"What nothing enforces may grow.", data(sized("2Gi")), data(), local(), ""},
		"CannotGrow":    {"What was made with a size keeps it.", data(sized("2Gi")), data(), local(enforced), "must stay 1Gi"},
		"Moved":         {"Another node is a move.", data(wish("host-b")), data(on("a"), provisioned), local(), ""},
		"MovedPlugin":   {"What a plugin has nobody can copy.", data(wish("host-b")), data(on("a"), provisioned), local(plugin), "must be host-a"},
		"MovedInTime":   {"What is being filled is not moved.", data(wish("host-b"), restoring(v1alpha1.RestoreWriting)), data(on("a"), provisioned, restoring(v1alpha1.RestoreWriting)), local(), "being restored"},
		"MovedAfter":    {"What was given up is in nobody's way.", data(wish("host-b")), data(on("a"), provisioned, restoring(v1alpha1.RestoreGivenUp)), local(), ""},
		"MoveTakenBack": {"A move is called off by naming the node before.", data(wish("host-a")), data(on("a"), provisioned, wish("host-b"), moving(v1alpha1.MoveCopying)), local(), ""},
		"NotYetThere":   {"What is nowhere may go anywhere.", data(wish("host-b")), data(on("a")), local(), ""},
		"SameNode":      {"A wish for where it is is met.", data(wish("HOST-A")), data(on("a"), provisioned), local(), ""},
		"WishDropped":   {"To want nothing moves nothing.", data(), data(on("a"), provisioned, wish("a")), local(), ""},
		"SharedNode":    {"What all see is on no node.", data(wish("a")), nil, local(share(nil)), "spec.node"},
		"SharedAdopt":   {"Nor is it adopted from one.", data(adopts("acme_old_1")), nil, local(share(nil)), "spec.adopt"},
		"ClassGone":     {"Without its class nobody knows how to make it elsewhere.", data(wish("b")), data(on("a"), provisioned), nil, "must be host-a"},
		"Restored":      {"A new Volume begins with what was.", data(restores("monday")), nil, local(), ""},
		"RestoredLater": {"So does one that has data.", data(restores("monday")), data(on("a"), provisioned), local(), ""},
		"RestoreAdopt":  {"It has one beginning.", data(adopts("acme_old_1"), restores("monday")), nil, local(), "together with adopt"},
		"RestorePlugin": {"Only what the engine has is filled.", data(restores("monday")), nil, local(plugin), "spec.restoreFrom"},
		"RestoreMoving": {"One after the other.", data(restores("monday")), data(on("a"), provisioned, moving(v1alpha1.MoveCopying)), local(), "moves to node host-b"},
		"RestoreMoved":  {"What was given up is in nobody's way.", data(restores("monday")), data(on("a"), provisioned, moving(v1alpha1.MoveGivenUp)), local(), ""},
		"RestoreStands": {"What stands is not judged again.", data(restores("monday")), data(on("a"), provisioned, restores("monday"), moving(v1alpha1.MoveCopying)), local(), ""},
		"RestoreTaken":  {"Removing it asks for nothing.", data(), data(restores("monday")), local(plugin), ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			errs := CheckVolume(tc.now, tc.before, tc.class)
			text := ""
			if len(errs) > 0 {
				text = errs.ToAggregate().Error()
			}
			if (text == "") != (tc.says == "") || !strings.Contains(text, tc.says) {
				t.Errorf("%s\ngot %q, want something with %q", tc.why, text, tc.says)
			}
		})
	}
}

func TestOwnerless(t *testing.T) {
	mine, old := data(), data()
	old.UID = "uid-0"
	adopter := data(adopts("acme_data_old"))
	adopter.Name, adopter.UID = "other", "uid-2"

	all := []Held{held("b", old), held("a", old), held("a", mine), {Node: "a", Name: "acme_data_old"}}
	got := Ownerless(all, []v1alpha1.Volume{*mine, *adopter})
	if diff := cmp.Diff([]Held{held("a", old), held("b", old)}, got); diff != "" {
		t.Errorf("only what neither was made for nor adopted by a Volume (-want +got):\n%s", diff)
	}

	found := Found(got, func(id string) string { return "host-" + id })
	if len(found) != 1 || found[0].Spec.VolumeName != Name(old) || len(found[0].Spec.Nodes) != 2 || found[0].Spec.From.UID != "uid-0" {
		t.Errorf("got %+v, want one record with both nodes", found)
	}
}

func TestAdoptedBy(t *testing.T) {
	first, second := data(adopts("acme_data_old")), data(adopts("acme_data_old"))
	first.Name, first.UID, first.CreationTimestamp = "first", "uid-1", metav1.Time{Time: time.Unix(1, 0)}
	second.Name, second.UID, second.CreationTimestamp = "second", "uid-2", metav1.Time{Time: time.Unix(2, 0)}
	both := []v1alpha1.Volume{*first, *second}

	if got := AdoptedBy(first, both); got != "" {
		t.Errorf("the first has it, and not %q", got)
	}
	if got := AdoptedBy(second, both); got != "acme/first" {
		t.Errorf("the second does not have it, because of %q", got)
	}

	owner := data()
	thief := data(adopts(Name(owner)))
	thief.Namespace, thief.UID, thief.CreationTimestamp = "globex", "uid-9", metav1.Time{}
	if got := AdoptedBy(thief, []v1alpha1.Volume{*owner, *thief}); got != "acme/data" {
		t.Errorf("data that has an owner is nobody's to adopt, got %q", got)
	}
}
