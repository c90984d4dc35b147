package snapshotrules

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

func inDirectory(path string) v1alpha1.VolumeSnapshotClassSpec {
	return v1alpha1.VolumeSnapshotClassSpec{Directory: &v1alpha1.SnapshotDirectory{Path: v1alpha1.AbsolutePath(path)}}
}

func inBucket(change func(*v1alpha1.SnapshotS3)) v1alpha1.VolumeSnapshotClassSpec {
	s := &v1alpha1.SnapshotS3{Endpoint: "https://s3.example.com", Bucket: "backups", CredentialsSecretRef: v1alpha1.LocalObjectReference{Name: "s3"}}
	change(s)

	return v1alpha1.VolumeSnapshotClassSpec{S3: s}
}

// says holds what was found against a part of it; empty for nothing.
func says(t *testing.T, why string, errs field.ErrorList, want string) {
	t.Helper()

	text := ""
	if len(errs) > 0 {
		text = errs.ToAggregate().Error()
	}
	if (text == "") != (want == "") || !strings.Contains(text, want) {
		t.Errorf("%s\ngot %q, want something with %q", why, text, want)
	}
}

func TestCheckClass(t *testing.T) {
	const data = "/var/lib/dogker"

	at := func(endpoint string) v1alpha1.VolumeSnapshotClassSpec {
		return inBucket(func(s *v1alpha1.SnapshotS3) { s.Endpoint = endpoint })
	}
	private := func(endpoint string) v1alpha1.VolumeSnapshotClassSpec {
		return inBucket(func(s *v1alpha1.SnapshotS3) { s.Endpoint, s.AllowPrivate = endpoint, true })
	}

	cases := map[string]struct {
		why  string
		spec v1alpha1.VolumeSnapshotClassSpec
		says string
	}{
		"Directory":     {"A directory of its own.", inDirectory("/srv/snapshots"), ""},
		"Beside":        {"One beside the server's data.", inDirectory("/var/lib/dogker-snapshots"), ""},
		"Root":          {"All of the machine.", inDirectory("/"), "spec.directory.path"},
		"Unclean":       {"What is not where it seems to be.", inDirectory("/srv/../etc"), "without . and .."},
		"Etc":           {"The machine's settings.", inDirectory("/etc/snapshots"), "must not be in /etc"},
		"Devices":       {"What is gone with the next start.", inDirectory("/dev/shm/x"), "must not be in /dev"},
		"Data":          {"The server's own data.", inDirectory(data), "apart from /var/lib/dogker"},
		"InData":        {"And what is in it: a backup would be of itself.", inDirectory(data + "/snapshots"), "apart from"},
		"AboveData":     {"A namespace called dogker would write into it.", inDirectory("/var/lib"), "apart from"},
		"Bucket":        {"A store of the world.", inBucket(func(*v1alpha1.SnapshotS3) {}), ""},
		"HTTP":          {"Who listens would have keys to it.", at("http://s3.example.com"), `"http://s3.example.com": must begin with https://`},
		"HTTPPrivate":   {"But where the platform says so.", private("http://s3.internal:9000"), ""},
		"Metadata":      {"T8: what a cloud tells its machines is no store.", at("https://169.254.169.254"), "public address"},
		"Private":       {"Nor is what is in the network of the servers.", at("https://10.0.0.5:9000"), "public address"},
		"Loopback":      {"Nor the server itself.", at("https://[::1]:9000"), "public address"},
		"PrivateMeant":  {"But where the platform says so.", private("https://10.0.0.5:9000"), ""},
		"NoHost":        {"A store is somewhere.", at("https://:9000"), "spec.s3.endpoint"},
		"Port":          {"No port has that number.", at("https://s3.example.com:99999"), "from 1 to 65535"},
		"BucketOfDots":  {"No store has such a bucket.", inBucket(func(s *v1alpha1.SnapshotS3) { s.Bucket = "a..b" }), "spec.s3.bucket"},
		"LongFolder":    {"No file system has such a directory.", inBucket(func(s *v1alpha1.SnapshotS3) { s.Folder = "a/" + strings.Repeat("b", 129) }), "spec.s3.folder"},
		"OrdinaryPlace": {"A folder of a bucket is a place.", inBucket(func(s *v1alpha1.SnapshotS3) { s.Folder = "dogker/prod" }), ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) { says(t, tc.why, CheckClass(&tc.spec, data), tc.says) })
	}
}

// TestApart: no directory that is let in has one of the server's in it, or is in one, however long the names.
func TestApart(t *testing.T) {
	dir := rapid.Custom(func(t *rapid.T) string {
		return "/" + strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"srv", "a", "ab", "b"}), 1, 4).Draw(t, "parts"), "/")
	})
	rapid.Check(t, func(t *rapid.T) {
		mine, theirs := dir.Draw(t, "class"), dir.Draw(t, "server")
		spec := inDirectory(mine)
		refused := len(CheckClass(&spec, theirs)) > 0
		if nested := strings.HasPrefix(mine+"/", theirs+"/") || strings.HasPrefix(theirs+"/", mine+"/"); refused != nested {
			t.Fatalf("%s beside %s: refused is %v", mine, theirs, refused)
		}
	})
}

func TestCheckVolume(t *testing.T) {
	marked := v1alpha1.VolumeSnapshotClass{ObjectMeta: metav1.ObjectMeta{Name: "nightly", Annotations: map[string]string{v1alpha1.AnnotationDefaultClass: "true"}}}
	plain := v1alpha1.VolumeSnapshotClass{ObjectMeta: metav1.ObjectMeta{Name: "archive"}}
	both, one := []v1alpha1.VolumeSnapshotClass{marked, plain}, []v1alpha1.VolumeSnapshotClass{plain}

	hook := func(words ...string) *v1alpha1.SnapshotHook {
		h := &v1alpha1.SnapshotHook{}
		for _, w := range words {
			h.Command = append(h.Command, v1alpha1.Text(w))
		}

		return h
	}
	hooks := func(pre, post *v1alpha1.SnapshotHook) *v1alpha1.VolumeSnapshots {
		return &v1alpha1.VolumeSnapshots{Hooks: &v1alpha1.SnapshotHooks{Container: "db", Pre: pre, Post: post}}
	}
	scheduled := func(class, schedule, zone string) *v1alpha1.VolumeSnapshots {
		return &v1alpha1.VolumeSnapshots{ClassName: v1alpha1.DNSLabel(class), Schedule: v1alpha1.CronExpression(schedule), TimeZone: zone}
	}

	cases := map[string]struct {
		why         string
		now, before *v1alpha1.VolumeSnapshots
		classes     []v1alpha1.VolumeSnapshotClass
		says        string
	}{
		"None":        {"Nothing is asked for.", nil, nil, nil, ""},
		"Nightly":     {"The default class takes it.", scheduled("", "30 2 * * *", "Asia/Jakarta"), nil, both, ""},
		"Named":       {"So does one that is named.", scheduled("archive", "@daily", ""), nil, one, ""},
		"Never":       {"A day that never comes is no schedule.", scheduled("", "0 0 30 2 *", ""), nil, both, `spec.snapshots.schedule: Invalid value: "0 0 30 2 *"`},
		"BadField":    {"The field is named, and what is allowed there.", scheduled("", "61 2 * * *", ""), nil, both, `minute "61" must be 0 to 59`},
		"BadZone":     {"A zone that is none.", scheduled("", "@daily", "Asia/Atlantis"), nil, both, "spec.snapshots.timeZone"},
		"NoDefault":   {"A schedule that could never make one.", scheduled("", "@daily", ""), nil, one, "there are: archive"},
		"Manual":      {"Who makes them by hand names the class there.", scheduled("", "", ""), nil, one, ""},
		"UnknownName": {"Tenants learn the names where they get one wrong.", scheduled("fast", "", ""), nil, both, `"fast": there is no such VolumeSnapshotClass; there are: archive, nightly`},
		"ClassGone":   {"What was let in can be edited.", scheduled("gone", "@daily", "UTC"), scheduled("gone", "@daily", ""), both, ""},
		"Hooks":       {"A command before and after.", hooks(hook("pg_dump"), hook("rm", "/dump")), nil, both, ""},
		"PostOnly":    {"One of them is enough.", hooks(nil, hook("rm")), nil, both, ""},
		"NoHook":      {"A container alone means nothing.", hooks(nil, nil), nil, both, "spec.snapshots.hooks: Required"},
		"Empty":       {"There is no shell to make something of it.", hooks(nil, hook("", "x")), nil, both, "spec.snapshots.hooks.post.command[0]"},
		"TooLong":     {"A script belongs elsewhere.", hooks(hook("sh", "-c", strings.Repeat("x", 9<<10)), hook("sh", strings.Repeat("y", 9<<10))), nil, both, "at most 16384 bytes"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) { says(t, tc.why, CheckVolume(tc.now, tc.before, tc.classes), tc.says) })
	}
}

func TestCheckSource(t *testing.T) {
	classes := []v1alpha1.VolumeSnapshotClass{{ObjectMeta: metav1.ObjectMeta{Name: "nightly"}}}
	spec := v1alpha1.VolumeSnapshotSpec{ClassName: "nightly", Source: v1alpha1.VolumeSnapshotSource{VolumeName: "data"}}
	says(t, "A Volume and a class.", CheckSource(&spec, classes), "")

	spec.Source = v1alpha1.VolumeSnapshotSource{Archive: &v1alpha1.SnapshotArchive{Name: "acme/" + strings.Repeat("d", 129), VolumeUID: "1"}}
	says(t, "No store has such an object.", CheckSource(&spec, classes), "spec.source.archive.name")

	spec = v1alpha1.VolumeSnapshotSpec{ClassName: "gone", Source: v1alpha1.VolumeSnapshotSource{VolumeName: "data"}}
	says(t, "There is nowhere to keep it.", CheckSource(&spec, nil), "there are none")

	classes[0].DeletionTimestamp = new(metav1.Now())
	spec.ClassName = "nightly"
	says(t, "A class that is going would stay for it.", CheckSource(&spec, classes), `"nightly": the VolumeSnapshotClass is being deleted; there are none`)
}

func TestDefault(t *testing.T) {
	class := func(name string, age int64, marked string) v1alpha1.VolumeSnapshotClass {
		return v1alpha1.VolumeSnapshotClass{ObjectMeta: metav1.ObjectMeta{
			Name: name, CreationTimestamp: metav1.Time{Time: time.Unix(100-age, 0)}, Annotations: map[string]string{v1alpha1.AnnotationDefaultClass: marked},
		}}
	}
	going := class("going", 0, "true")
	going.DeletionTimestamp = new(metav1.Now())

	for name, tc := range map[string]struct {
		why     string
		classes []v1alpha1.VolumeSnapshotClass
		want    string
	}{
		"None":     {"Without one nothing is filled in.", nil, ""},
		"Unmarked": {"Only true is true.", []v1alpha1.VolumeSnapshotClass{class("a", 1, "yes")}, ""},
		"Newest":   {"As in Kubernetes.", []v1alpha1.VolumeSnapshotClass{class("old", 9, "true"), class("new", 1, "true")}, "new"},
		"Tie":      {"One of two, always the same.", []v1alpha1.VolumeSnapshotClass{class("b", 1, "true"), class("a", 1, "true")}, "a"},
		"Going":    {"One that is going takes no more.", []v1alpha1.VolumeSnapshotClass{class("old", 9, "true"), going}, "old"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if c := Default(tc.classes); c != nil {
				got = c.Name
			}
			if got != tc.want {
				t.Errorf("%s\ngot %q, want %q", tc.why, got, tc.want)
			}
		})
	}
}
