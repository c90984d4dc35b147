package backup_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"pgregory.net/rapid"

	"github.com/dogker/dogker/internal/agekey"
	"github.com/dogker/dogker/internal/backup"
	"github.com/dogker/dogker/internal/controlplane/datadir"
)

// TestDamaged cuts and changes backups anywhere. Whatever is refused leaves nothing a server would start on; what is
// accepted is what was backed up.
func TestDamaged(t *testing.T) {
	s := newServer(t)
	s.put(0, 50)
	identity := newIdentity(t)
	sealed, plain := s.bytesOf(identity.Recipient()), s.bytesOf()
	s.stop()
	base := t.TempDir()

	rapid.Check(t, func(r *rapid.T) {
		content, identities := bytes.Clone(plain), []age.Identity(nil)
		if rapid.Bool().Draw(r, "sealed") {
			content, identities = bytes.Clone(sealed), []age.Identity{identity}
		}

		at := rapid.IntRange(0, len(content)-1).Draw(r, "at")
		if rapid.Bool().Draw(r, "cut") {
			content = content[:at]
		} else {
			content[at] ^= byte(rapid.IntRange(1, 255).Draw(r, "bits"))
		}

		into, err := os.MkdirTemp(base, "into")
		if err != nil {
			r.Fatal(err)
		}
		if err := restore(t, content, into, identities...); err == nil {
			// A header of gzip has fields that mean nothing to what is in it.
			if len(identities) > 0 || at > 10 {
				r.Fatalf("a backup that was damaged at %d of %d was restored", at, len(content))
			}

			return
		}

		if left := files(t, into); len(left) > 0 {
			r.Errorf("a refused backup left %v", left)
		}
		if _, lock, err := datadir.Acquire(into); err != nil {
			r.Errorf("a refused backup left a directory that no server starts on: %v", err)
		} else if err := lock.Release(); err != nil {
			r.Error(err)
		}
	})
}

// TestForeign is about files that somebody else has made.
func TestForeign(t *testing.T) {
	file := func(name string) *tar.Header { return &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o600} }
	manifest := `{"format":1,"cluster":"c","files":[]}`

	cases := map[string]struct {
		reason string
		header *tar.Header
		body   string
		says   string
	}{
		"Parent":      {reason: "A name must not lead out of the directory.", header: file("../evil"), says: `"../evil"`},
		"Absolute":    {reason: "Nor begin elsewhere.", header: file("/etc/evil"), says: `"/etc/evil"`},
		"InPki":       {reason: "Nor lead out of a folder that there is.", header: file("pki/../../evil"), says: "evil"},
		"Deeper":      {reason: "Folders have files, and nothing else.", header: file("pki/a/b"), says: `"pki/a/b"`},
		"Hidden":      {reason: "Files that begin with a dot are none of a backup's.", header: file("pki/.evil"), says: `"pki/.evil"`},
		"Other":       {reason: "What is not known is refused.", header: file("audit/policy.yaml"), says: "audit/policy.yaml"},
		"Symlink":     {reason: "A link is no file.", header: &tar.Header{Name: "pki/ca.key", Typeflag: tar.TypeSymlink, Linkname: "/etc/shadow"}, says: "not as dogker writes it"},
		"Hardlink":    {reason: "Of whatever kind.", header: &tar.Header{Name: "pki/ca.key", Typeflag: tar.TypeLink, Linkname: "/etc/shadow"}, says: "not as dogker writes it"},
		"Device":      {reason: "Nor is a device.", header: &tar.Header{Name: "pki/ca.key", Typeflag: tar.TypeChar}, says: "not as dogker writes it"},
		"Huge":        {reason: "A key of a gigabyte is none.", header: &tar.Header{Name: "pki/ca.key", Typeflag: tar.TypeReg, Size: 1 << 30}, says: "not as dogker writes it"},
		"Later":       {reason: "A later version may mean something else by the same files.", header: file("manifest.json"), body: `{"format":2}`, says: "format 2"},
		"NoStore":     {reason: "A backup without a store restores nothing.", header: file("manifest.json"), body: manifest, says: "no etcd.snapshot"},
		"NotInIt":     {reason: "The manifest names what there is.", header: file("manifest.json"), body: strings.Replace(manifest, "[]", `[{"name":"pki/a","bytes":1}]`, 1), says: "not those that its manifest names"},
		"NoManifest":  {reason: "Without a manifest it is not whole.", header: file("identity.json"), body: "{}", says: "no manifest"},
		"NoJSON":      {reason: "A manifest that cannot be read says nothing.", header: file("manifest.json"), body: "format: 1", says: "manifest cannot be read"},
		"BadSnapshot": {reason: "A file that is no database of etcd's must not end the process.", says: "restore etcd"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			content := archive(t, tc.header, tc.body)
			into := filepath.Join(t.TempDir(), "new")

			err := restore(t, content, into)
			if err == nil || !strings.Contains(err.Error(), tc.says) {
				t.Fatalf("%s\nerror is %v, want one that says %q", tc.reason, err, tc.says)
			}
			if left := files(t, into); len(left) > 0 {
				t.Errorf("%s\nit left %v", tc.reason, left)
			}
		})
	}
}

// archive is a backup that has one file, or one whose snapshot is nonsense.
func archive(t *testing.T, header *tar.Header, body string) []byte {
	t.Helper()
	if header == nil {
		content, err := backup.Nonsense()
		if err != nil {
			t.Fatal(err)
		}

		return content
	}

	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	w := tar.NewWriter(zipped)
	if header.Size == 0 {
		header.Size = int64(len(body))
	}
	if err := w.WriteHeader(header); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	// An archive that announces more than it has cannot be ended properly, which is what the case is about.
	_ = w.Close()
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}

	return b.Bytes()
}

// TestKeys wants the right key, and no key where none is due.
func TestKeys(t *testing.T) {
	s := newServer(t)
	right, wrong := newIdentity(t), newIdentity(t)
	sealed, plain := s.bytesOf(right.Recipient(), newIdentity(t).Recipient()), s.bytesOf()
	recipient, phrase, err := agekey.Passphrase("correct horse battery staple\n")
	if err != nil {
		t.Fatal(err)
	}
	// Trying passphrases out is made slow, and this is no place to wait.
	recipient.(*age.ScryptRecipient).SetWorkFactor(10)
	phrased := s.bytesOf(recipient)
	s.stop()

	cases := map[string]struct {
		reason     string
		content    []byte
		identities []age.Identity
		says       string
	}{
		"OneOfTwo":      {reason: "Every recipient can open it.", content: sealed, identities: []age.Identity{wrong, right}},
		"Passphrase":    {reason: "So can who knows the passphrase.", content: phrased, identities: []age.Identity{phrase}},
		"WrongKey":      {reason: "Nobody else can.", content: sealed, identities: []age.Identity{wrong}, says: "did not match"},
		"NoKey":         {reason: "What is missing is said.", content: sealed, says: "--identity"},
		"KeyForNothing": {reason: "Who brings a key expects that nobody else has written the file.", content: plain, identities: []age.Identity{right}, says: "not encrypted"},
		"Empty":         {reason: "An empty file is none.", content: nil, says: "no backup"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := restore(t, tc.content, filepath.Join(t.TempDir(), "new"), tc.identities...)
			if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s\nerror is %v, want %q", tc.reason, err, tc.says)
			}
		})
	}

	if bytes.Contains(sealed, []byte("token key")) || bytes.Contains(phrased, []byte("token key")) {
		t.Error("a key can be read in an encrypted backup")
	}
}

// TestOnlyIntoNothing wants a restore to replace nothing.
func TestOnlyIntoNothing(t *testing.T) {
	s := newServer(t)
	s.put(0, 3)
	content := s.bytesOf()

	if err := restore(t, content, s.dir.Path()); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("into the directory of a server that runs: %v, want a refusal", err)
	}
	s.stop()
	if err := restore(t, content, s.dir.Path()); err == nil || !strings.Contains(err.Error(), "has identity.json already") {
		t.Errorf("into the directory of a server: %v, want a refusal", err)
	}
	if got, _ := start(t, s.dir.Path()).things(); len(got) != 3 {
		t.Errorf("the store of the server has %d things, want its 3", len(got))
	}
}
