package archive_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/klauspost/compress/zstd"

	"github.com/dogker/dogker/internal/voldata/archive"
	"github.com/dogker/dogker/internal/voldata/content"
)

var origin = archive.Origin{Namespace: "acme", Volume: "data", UID: "5a1c", Time: time.Unix(1_700_000_000, 0).UTC(), Dogker: "test"}

func newKey(t testing.TB) (*archive.Key, string) {
	t.Helper()
	text, err := archive.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	k, err := archive.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}

	return k, text
}

// volume is a content with a file of so many bytes that cannot be compressed, and some others.
func volume(t testing.TB, n int) []byte {
	t.Helper()
	noise := make([]byte, n)
	for i, x := 0, uint32(1); i < n; i++ {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		noise[i] = byte(x)
	}

	return tarOf(t, map[string]string{"volume/": "", "volume/a": "hello", "volume/noise": string(noise)})
}

func tarOf(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range []string{"archive.json", "volume/", "volume/a", "volume/b/c", "volume/noise", "manifest.json", "manifest.json.hmac", "more"} {
		data, is := files[name]
		if !is {
			continue
		}
		kind := byte(tar.TypeReg)
		if strings.HasSuffix(name, "/") {
			kind = tar.TypeDir
		}
		if err := w.WriteHeader(&tar.Header{Typeflag: kind, Name: name, Mode: 0o755, Size: int64(len(data)), ModTime: time.Unix(1, 0)}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	return b.Bytes()
}

func write(t testing.TB, k *archive.Key, data []byte) ([]byte, archive.Receipt) {
	t.Helper()
	var out bytes.Buffer
	got, err := archive.Write(&out, origin, k, bytes.NewReader(data), content.Options{})
	if err != nil {
		t.Fatal(err)
	}

	return out.Bytes(), got
}

func TestRoundTrip(t *testing.T) {
	k, _ := newKey(t)
	data := volume(t, 3<<20)
	want, err := content.Copy(nil, bytes.NewReader(data), content.Options{})
	if err != nil {
		t.Fatal(err)
	}

	file, made := write(t, k, data)
	if made.Content != want || made.Size != int64(len(file)) || made.Origin != origin {
		t.Errorf("the receipt is %+v, want one of %+v", made, want)
	}
	got, err := archive.Verify(bytes.NewReader(file), k, content.Options{})
	if err != nil || !got.SameAs(made) {
		t.Fatalf("verified it is %+v, %v, want %+v", got, err, made)
	}

	var out bytes.Buffer
	if _, err := archive.Extract(&out, bytes.NewReader(file), k, got, content.Options{}); err != nil {
		t.Fatal(err)
	}
	back, err := content.Copy(nil, &out, content.Options{})
	if err != nil || back != want {
		t.Errorf("what comes out is %+v, %v, want %+v", back, err, want)
	}
	if bytes.Contains(file, []byte("acme")) || bytes.Contains(file, []byte("hello")) {
		t.Error("something can be read in it")
	}
}

// TestAltered changes, cuts and lengthens an archive everywhere.
func TestAltered(t *testing.T) {
	k, _ := newKey(t)
	file, made := write(t, k, volume(t, 100_000))

	refuse := func(what string, data []byte) {
		t.Helper()
		if _, err := archive.Verify(bytes.NewReader(data), k, content.Options{}); !errors.Is(err, archive.ErrRefused) {
			t.Errorf("%s: %v, want ErrRefused", what, err)
		}
		var out bytes.Buffer
		if _, err := archive.Extract(&out, bytes.NewReader(data), k, made, content.Options{}); !errors.Is(err, archive.ErrRefused) {
			t.Errorf("%s, extracted: %v, want ErrRefused", what, err)
		}
		if _, err := content.Copy(nil, &out, content.Options{}); err == nil {
			t.Errorf("%s: what came out looks whole", what)
		}
	}
	for n := 0; n < len(file); n += 1 + n/40 {
		refuse(fmt.Sprintf("cut after %d of %d bytes", n, len(file)), file[:n])

		changed := bytes.Clone(file)
		changed[n] ^= 1
		refuse(fmt.Sprintf("bit of byte %d", n), changed)
	}
	refuse("one byte less", file[:len(file)-1])
	refuse("one byte more", append(bytes.Clone(file), 0))
	refuse("twice", append(bytes.Clone(file), file...))
	refuse("text", []byte("hello"))

	other, _ := write(t, k, volume(t, 1000))
	var out bytes.Buffer
	if _, err := archive.Extract(&out, bytes.NewReader(other), k, made, content.Options{}); !errors.Is(err, archive.ErrRefused) {
		t.Errorf("another archive than was verified: %v, want ErrRefused", err)
	}
	if _, err := content.Copy(nil, &out, content.Options{}); err == nil {
		t.Error("what came out of another archive looks whole")
	}
}

// TestKeys wants nobody but holders of keys to open, or to make, an archive.
func TestKeys(t *testing.T) {
	k, text := newKey(t)
	other, otherText := newKey(t)
	file, made := write(t, k, volume(t, 1000))

	if _, err := archive.Verify(bytes.NewReader(file), other, content.Options{}); !errors.Is(err, archive.ErrRefused) {
		t.Errorf("with another key: %v, want ErrRefused", err)
	}
	rotated, err := archive.ParseKey(otherText + text)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := archive.Verify(bytes.NewReader(file), rotated, content.Options{}); err != nil || !got.SameAs(made) {
		t.Errorf("with the key behind a newer one: %v, want it opened", err)
	}
	newer, _ := write(t, rotated, volume(t, 1000))
	if _, err := archive.Verify(bytes.NewReader(newer), other, content.Options{}); err != nil {
		t.Errorf("what the newer one has made: %v, want it opened by the newer one alone", err)
	}

	// A key that is kept elsewhere opens it, and is no key to make some.
	offline, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	shared, err := archive.ParseKey(text, offline.Recipient())
	if err != nil {
		t.Fatal(err)
	}
	file, _ = write(t, shared, volume(t, 1000))
	if plain := opened(t, file, offline); !bytes.Contains(plain, []byte("hello")) {
		t.Error("the key that is kept elsewhere does not open it")
	}

	for name, s := range map[string]string{"None": "", "Words": "correct horse battery staple", "Recipient": offline.Recipient().String()} {
		if _, err := archive.ParseKey(s); err == nil || s != "" && strings.Contains(err.Error(), s) {
			t.Errorf("%s: %v, want an error that does not repeat it", name, err)
		}
	}
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k)} {
		if s != "archive key" {
			t.Errorf("a key prints as %q", s)
		}
	}
}

// opened is an archive as `age -d | zstd -d` gives it.
func opened(t *testing.T, file []byte, i age.Identity) []byte {
	t.Helper()
	r, err := age.Decrypt(bytes.NewReader(file), i)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zstd.NewReader(r)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}

	return plain
}

// TestForged makes archives by hand, as somebody can who knows the recipient and not the key.
func TestForged(t *testing.T) {
	k, text := newKey(t)
	identity, err := age.ParseX25519Identity(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	genuine, _ := write(t, k, tarOf(t, map[string]string{"volume/": "", "volume/a": "hello"}))
	parts := map[string]string{}
	for r := tar.NewReader(bytes.NewReader(opened(t, genuine, identity))); ; {
		h, err := r.Next()
		if err != nil {
			break
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		parts[h.Name] = string(data)
	}
	if len(parts) != 5 {
		t.Fatalf("it has %d parts, want 5", len(parts))
	}

	seal := func(plain []byte) []byte {
		var out bytes.Buffer
		w, err := age.Encrypt(&out, identity.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		z, err := zstd.NewWriter(w)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(plain); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(z.Close(), w.Close()); err != nil {
			t.Fatal(err)
		}

		return out.Bytes()
	}
	if _, err := archive.Verify(bytes.NewReader(seal(tarOf(t, parts))), k, content.Options{}); err != nil {
		t.Fatalf("put together again it is refused: %v", err)
	}

	manifest := func(header string, files map[string]string) string {
		sum, err := content.Copy(nil, bytes.NewReader(tarOf(t, files)), content.Options{})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := json.Marshal(map[string]any{"header": hexOf(header), "content": sum})
		if err != nil {
			t.Fatal(err)
		}

		return string(raw)
	}
	other := strings.Replace(parts["archive.json"], `"acme"`, `"beta"`, 1)
	later := strings.Replace(parts["archive.json"], `"format":1`, `"format":2`, 1)
	evil := map[string]string{"volume/": "", "volume/a": "evil!"}

	for name, c := range map[string]struct {
		reason string
		change map[string]string
		says   string
	}{
		"Data":         {"The manifest says what was there.", map[string]string{"volume/a": "evil!"}, "does not hold what its manifest says"},
		"OwnManifest":  {"Only who has the key makes one.", map[string]string{"volume/a": "evil!", "manifest.json": manifest(parts["archive.json"], evil)}, "none of the keys"},
		"Header":       {"It belongs to the manifest.", map[string]string{"archive.json": other}, "does not hold what its manifest says"},
		"Later":        {"A later format may mean something else.", map[string]string{"archive.json": later}, "format 2"},
		"NoMAC":        {"Without proof it is nobody's.", map[string]string{"manifest.json.hmac": ""}, "none of the keys"},
		"BadMAC":       {"Nor with another one.", map[string]string{"manifest.json.hmac": strings.Repeat("00", 32)}, "none of the keys"},
		"NotThere":     {"All parts are there.", map[string]string{"manifest.json.hmac": "-"}, "no manifest.json.hmac"},
		"NoManifest":   {"The manifest is.", map[string]string{"manifest.json": "-", "manifest.json.hmac": "-"}, "no manifest.json"},
		"NoHeader":     {"And the header.", map[string]string{"archive.json": "-"}, "should have archive.json"},
		"NoVolume":     {"And the volume.", map[string]string{"volume/": "-", "volume/a": "-"}, "the volume itself is missing"},
		"More":         {"And nothing else.", map[string]string{"more": "x"}, "something follows its manifest"},
		"Escape":       {"What is in it is held against the rules.", map[string]string{"volume/b/c": "x"}, "directory is not right before it"},
		"NoJSON":       {"What cannot be read says nothing.", map[string]string{"archive.json": "format: 1"}, "cannot be read"},
		"HugeManifest": {"A manifest is small.", map[string]string{"manifest.json": strings.Repeat(" ", 70_000)}, "should have manifest.json"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{}
			for n, data := range parts {
				files[n] = data
			}
			for n, data := range c.change {
				if files[n] = data; data == "-" {
					delete(files, n)
				}
			}
			_, err := archive.Verify(bytes.NewReader(seal(tarOf(t, files))), k, content.Options{})
			if !errors.Is(err, archive.ErrRefused) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s\nerror is %v, want ErrRefused that says %q", c.reason, err, c.says)
			}
		})
	}
}

func hexOf(s string) string {
	k := mustSum(s)

	return hex.EncodeToString(k)
}

// TestReadFails wants a store that fails told apart from an archive that is bad: the one may be asked again.
func TestReadFails(t *testing.T) {
	k, _ := newKey(t)
	file, _ := write(t, k, volume(t, 200_000))
	for _, at := range []int{0, 10, 300, len(file) / 2, len(file) - 1, len(file)} {
		_, err := archive.Verify(io.MultiReader(bytes.NewReader(file[:at]), failing{io.ErrUnexpectedEOF}), k, content.Options{})
		if !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, archive.ErrRefused) {
			t.Errorf("a connection that is cut after %d bytes: %v, want that", at, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestWriteFails wants an archive of half a volume never to look like one.
func TestWriteFails(t *testing.T) {
	k, _ := newKey(t)
	data := volume(t, 500_000)
	cause := errors.New("the engine has gone")
	for _, n := range []int{0, 600, 10_000, len(data) - 1024, len(data)} {
		var out bytes.Buffer
		if _, err := archive.Write(&out, origin, k, io.MultiReader(bytes.NewReader(data[:n]), failing{cause}), content.Options{}); !errors.Is(err, cause) {
			t.Errorf("an engine that fails after %d bytes: %v, want that", n, err)
		}
		if _, err := archive.Verify(&out, k, content.Options{}); !errors.Is(err, archive.ErrRefused) {
			t.Errorf("what was written after %d bytes: %v, want it refused", n, err)
		}
	}
	full := errors.New("the store is full")
	if _, err := archive.Write(limited{full}, origin, k, bytes.NewReader(data), content.Options{}); !errors.Is(err, full) {
		t.Errorf("a store that is full: %v, want that", err)
	}
}

type limited struct{ err error }

func (l limited) Write([]byte) (int, error) { return 0, l.err }

func mustSum(s string) []byte {
	sum := sha256.Sum256([]byte(s))

	return sum[:]
}
