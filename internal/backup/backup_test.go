package backup_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dogker/dogker/internal/backup"
	"github.com/dogker/dogker/internal/controlplane/datadir"
	"github.com/dogker/dogker/internal/controlplane/etcd"
)

// TestRoundTrip backs a server up while it is written to, and restores it elsewhere: what was written before is there,
// nothing is half there, and no client that has seen what came after takes the restored objects for older ones.
func TestRoundTrip(t *testing.T) {
	s := newServer(t)
	s.put(0, 500)

	done := make(chan struct{})
	go func() {
		defer close(done)
		s.put(500, 1500)
	}()

	identity := newIdentity(t)
	content := s.bytesOf(identity.Recipient())
	<-done
	_, seen := s.things()
	s.stop()

	into := filepath.Join(t.TempDir(), "new")
	if err := restore(t, content, into, identity); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{
		"pki/ca.crt": "certificate", "pki/ca.key": "key", "pki/sa.key": "token key", "secrets/encryption.yaml": "encryption", "secrets/digest.key": "digest",
		"identity.json": files(t, s.dir.Path())["identity.json"],
	}, files(t, into)); diff != "" {
		t.Errorf("files of the restored directory (-want +got):\n%s", diff)
	}

	again := start(t, into)
	got, revision := again.things()
	if len(got) < 500 {
		t.Fatalf("%d things are there, want all 500 that were written before the backup", len(got))
	}
	for i, value := range got {
		if i > 0 && len(value) < len(got[i-1]) {
			t.Fatalf("thing %d is %q: what is there must be what was written first", i, value)
		}
	}
	if revision <= seen {
		t.Errorf("the revision of the restored store is %d, want more than the %d that clients have seen", revision, seen)
	}

	adopted, err := etcd.Adopt(t.Context(), again.store.Client, etcd.Claim{Known: cluster, Alone: true})
	if err != nil || adopted.Restores != 1 {
		t.Errorf("the restored store is adopted with %+v, error %v, want the cluster and one restore", adopted, err)
	}
	again.put(2000, 2010)

	// A backup of what was restored is as good as any, and counts.
	second := again.bytesOf()
	again.stop()
	other := filepath.Join(t.TempDir(), "other")
	if err := restore(t, second, other); err != nil {
		t.Fatal(err)
	}
	third := start(t, other)
	if now, _ := third.things(); len(now) != len(got)+10 {
		t.Errorf("%d things are there after the second restore, want %d", len(now), len(got)+10)
	}
	if adopted, err := etcd.Adopt(t.Context(), third.store.Client, etcd.Claim{Known: cluster, Alone: true}); err != nil || adopted.Restores != 2 {
		t.Errorf("the store is adopted with %+v, error %v, want two restores", adopted, err)
	}
}

// TestOfAStoppedServer wants the same of a server that does not run, and its directory as it was.
func TestOfAStoppedServer(t *testing.T) {
	s := newServer(t)
	s.put(0, 10)
	s.stop()

	before := files(t, s.dir.Path())
	content := s.bytesOf()
	if diff := cmp.Diff(before, files(t, s.dir.Path())); diff != "" {
		t.Errorf("the data directory after the backup (-want +got):\n%s", diff)
	}

	into := filepath.Join(t.TempDir(), "new")
	if err := restore(t, content, into); err != nil {
		t.Fatal(err)
	}
	if got, _ := start(t, into).things(); len(got) != 10 {
		t.Errorf("%d things are there, want 10", len(got))
	}
}

// TestKeep wants a directory of backups to have the newest of each cluster, and everything else left alone.
func TestKeep(t *testing.T) {
	s := newServer(t)
	dir := t.TempDir()
	others := []string{"dogker-another-20260101T000000Z.tar.gz.age", "dogker-" + cluster + "-notes.txt", "dogker-" + cluster + "-20260101T000000Z.tar.gz.part"}
	for _, name := range others {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}

	o := s.options()
	at := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	o.Now = func() time.Time { return at }
	for range 4 {
		if _, _, _, err := backup.CreateIn(t.Context(), o, dir, 2); err != nil {
			t.Fatal(err)
		}
		at = at.Add(24 * time.Hour)
	}

	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	want := append(slices.Clone(others), "dogker-"+cluster+"-20261124T000000Z.tar.gz", "dogker-"+cluster+"-20261125T000000Z.tar.gz")
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the directory of backups (-want +got):\n%s", diff)
	}

	at = at.Add(-24 * time.Hour)
	if _, _, _, err := backup.CreateIn(t.Context(), o, dir, 2); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("a second backup of the same name: %v, want a refusal", err)
	}

	at = at.Add(48 * time.Hour)
	for place, want := range map[string]string{
		filepath.Join(dir, "not-mounted"): fmt.Sprintf("write backup: directory %q does not exist", filepath.Join(dir, "not-mounted")),
		filepath.Join(dir, others[0]):     fmt.Sprintf("write backup: %q is not a directory", filepath.Join(dir, others[0])),
	} {
		if _, _, _, err := backup.CreateIn(t.Context(), o, place, 2); err == nil || err.Error() != want {
			t.Errorf("a backup into %q: %v, want %s", place, err, want)
		}
	}
}

// TestNothingToBackUp names what is missing, and makes no directory.
func TestNothingToBackUp(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "nowhere")
	fresh := t.TempDir()
	if _, err := datadir.At(fresh).Identity(); err != nil {
		t.Fatal(err)
	}
	external := t.TempDir()
	if err := datadir.At(external).SetIdentity(datadir.Identity{Server: "s", Cluster: cluster}); err != nil {
		t.Fatal(err)
	}

	for dir, says := range map[string]string{missing: "no server has ever run", fresh: "never finished its first start", external: "external etcd"} {
		file := filepath.Join(t.TempDir(), "backup")
		_, err := backup.CreateFile(t.Context(), backup.CreateOptions{DataDir: dir}, file)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error is %v, want one that says %q", err, says)
		}
		if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) > 0 {
			t.Errorf("%v is left where the backup was to be, error %v", entries, err)
		}
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("the data directory was made")
	}
}
