package sops_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/dogker/dogker/internal/git/document"
	"github.com/dogker/dogker/internal/git/sops"
	"github.com/dogker/dogker/reconciler/source"
)

const modified = "2026-03-01T12:00:00Z"

// sealer writes files the way sops does: values by their place, and a MAC of all of them.
type sealer struct {
	t   *testing.T
	key []byte
	mac bytes.Buffer
}

func newSealer(t *testing.T) *sealer {
	t.Helper()

	s := &sealer{t: t, key: make([]byte, 32)}
	_, _ = rand.Read(s.key)

	return s
}

// seal encrypts a value for a place, without adding it to the MAC.
func (s *sealer) seal(value, kind, place string) string {
	s.t.Helper()

	block, err := aes.NewCipher(s.key)
	if err != nil {
		s.t.Fatal(err)
	}

	gcm, err := cipher.NewGCMWithNonceSize(block, 32)
	if err != nil {
		s.t.Fatal(err)
	}

	iv := make([]byte, 32)
	_, _ = rand.Read(iv)
	out := gcm.Seal(nil, iv, []byte(value), []byte(place))
	b64 := base64.StdEncoding.EncodeToString

	return fmt.Sprintf("ENC[AES256_GCM,data:%s,iv:%s,tag:%s,type:%s]", b64(out[:len(out)-16]), b64(iv), b64(out[len(out)-16:]), kind)
}

// secret is a value that is encrypted, and open one that is not; both are part of the MAC.
func (s *sealer) secret(value, kind, place string) string {
	s.mac.WriteString(value)

	return s.seal(value, kind, place)
}

func (s *sealer) open(value string) string {
	s.mac.WriteString(value)

	return value
}

// metadata is the end of a file, for a recipient.
func (s *sealer) metadata(to age.Recipient, rules string) string {
	s.t.Helper()

	var enc bytes.Buffer

	a := armor.NewWriter(&enc)

	w, err := age.Encrypt(a, to)
	if err != nil {
		s.t.Fatal(err)
	}

	_, _ = w.Write(s.key)

	if err := errors.Join(w.Close(), a.Close()); err != nil {
		s.t.Fatal(err)
	}

	mac := s.seal(fmt.Sprintf("%X", sha512.Sum512(s.mac.Bytes())), "str", modified)

	return "sops:\n  age:\n  - recipient: x\n    enc: |\n      " + strings.ReplaceAll(strings.TrimSpace(enc.String()), "\n", "\n      ") +
		"\n  lastmodified: \"" + modified + "\"\n  mac: " + mac + "\n" + rules + "  version: 3.13.3\n"
}

func newIdentity(t *testing.T) *age.X25519Identity {
	t.Helper()

	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}

	return id
}

// secretFile is a Secret whose data is encrypted, as people have it in repositories.
func secretFile(s *sealer, to age.Recipient) string {
	return "apiVersion: " + s.open("v1") + "\nkind: " + s.open("Secret") + "\nmetadata:\n  name: " + s.open("web") + "\nimmutable: " + s.bool() +
		"\nstringData:\n  password: " + s.secret("hunter2", "str", "stringData:password:") + "\n  port: " + s.secret("5432", "int", "stringData:port:") +
		"\n  on: " + s.secret("True", "bool", "stringData:on:") + "\n  empty: \"\"\n" + s.metadata(to, "  encrypted_regex: ^(data|stringData)$\n")
}

// bool is a readable true, which is True in the MAC.
func (s *sealer) bool() string {
	s.mac.WriteString("True")

	return "true"
}

func TestDecrypts(t *testing.T) {
	id := newIdentity(t)
	file := secretFile(newSealer(t), id.Recipient())

	got, err := sops.File("a.yaml", []byte(file), []age.Identity{newIdentity(t), id})
	if err != nil {
		t.Fatal(err)
	}

	want := "---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: web\nimmutable: true\nstringData:\n  password: \"hunter2\"\n  port: 5432\n  on: true\n  empty: \"\"\n"
	if string(got) != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestDecryptsAllDocumentsWithOneMAC(t *testing.T) {
	id := newIdentity(t)
	s := newSealer(t)
	first := "a: " + s.secret("1", "str", "a:") + "\n"
	second := "b:\n- " + s.secret("2", "str", "b:") + "\n- c_unencrypted: " + s.open("3") + "\n"
	end := s.metadata(id.Recipient(), "")

	docs, err := document.Parse("a.yaml", []byte(first+end+"---\n"+second+end))
	if err != nil {
		t.Fatal(err)
	}

	if err := sops.Documents(docs, []age.Identity{id}); err != nil {
		t.Fatal(err)
	}

	var got []string

	for _, d := range docs {
		data, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}

		got = append(got, string(data))
	}

	if want := `{"a":"1"} {"b":["2",{"c_unencrypted":3}]}`; strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestEnvelopes(t *testing.T) {
	id := newIdentity(t)
	s := newSealer(t)
	data := s.secret("any\x01thing\n", "str", "data:")

	docs, err := document.Parse("a", []byte(s.metadata(id.Recipient(), "")))
	if err != nil {
		t.Fatal(err)
	}

	meta, err := document.ToJSON(document.Field(docs[0].Node, "sops"))
	if err != nil {
		t.Fatal(err)
	}

	got, err := sops.File("key.bin", []byte(`{"data": "`+data+`", "sops": `+string(meta)+`}`), []age.Identity{id})
	if err != nil || string(got) != "any\x01thing\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWhatIsNotEncryptedStays(t *testing.T) {
	for _, text := range []string{"", "plain", "a: b\n", "# ENC[AES256_GCM,data: and sops\na: b\n", "note: the value ENC[AES256_GCM,data:x] is by sops\n"} {
		if got, err := sops.File("a.yaml", []byte(text), nil); err != nil || string(got) != text {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
}

func TestRefuses(t *testing.T) {
	id := newIdentity(t)
	file := secretFile(newSealer(t), id.Recipient())
	another := secretFile(newSealer(t), id.Recipient())
	password := func(f string) string { return strings.Split(strings.Split(f, "password: ")[1], "\n")[0] }
	port := func(f string) string { return strings.Split(strings.Split(f, "port: ")[1], "\n")[0] }
	replace := func(from, to string) string { return strings.Replace(file, from, to, 1) }

	for name, tc := range map[string]struct {
		reason string
		file   string
		keys   []age.Identity
		says   string
	}{
		"NoKeys":          {"Nothing encrypted is applied as if it were a value.", file, nil, "a.yaml:1: it is encrypted, and there is no age key"},
		"OtherKeys":       {"", file, []age.Identity{newIdentity(t)}, "none of the age keys opens it"},
		"ReadableChanged": {"Readable values are part of the MAC.", replace("name: web", "name: admin"), []age.Identity{id}, "changed after it was encrypted"},
		"ReadableAdded":   {"", replace("kind: Secret", "kind: Secret\ntype: x"), []age.Identity{id}, "changed after it was encrypted"},
		"ReadableRemoved": {"", replace("kind: Secret\n", ""), []age.Identity{id}, "changed after it was encrypted"},
		"ValueMoved":      {"A value is good only in its place.", replace(port(file), password(file)), []age.Identity{id}, `the value of "stringData.port" cannot be decrypted`},
		"ValueOfAnother":  {"", replace(password(file), password(another)), []age.Identity{id}, "cannot be decrypted"},
		"ValueReplaced":   {"A value that should be encrypted is.", replace(password(file), "readable"), []age.Identity{id}, `the value of "stringData.password" cannot be decrypted`},
		"ValueNumber":     {"", replace(password(file), "12"), []age.Identity{id}, "is not encrypted"},
		"ValueRemoved":    {"", replace("  password: "+password(file)+"\n", ""), []age.Identity{id}, "changed after it was encrypted"},
		"NoMAC":           {"", replace("  mac: ", "  mac: x"), []age.Identity{id}, "changed after it was encrypted"},
		"RulesChanged":    {"Rules that say that nothing is encrypted leave the MAC wrong.", replace("^(data|stringData)$", "^nothing$"), []age.Identity{id}, "changed after it was encrypted"},
		"TimeChanged":     {"", replace(modified, "2027-03-01T12:00:00Z"), []age.Identity{id}, "changed after it was encrypted"},
		"RegexBroken":     {"", replace("^(data|stringData)$", "("), []age.Identity{id}, "regular expression"},
		"ForPGPAlone":     {"", "a: 'ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]'\nsops:\n  mac: x\n  lastmodified: '" + modified + "'\n  pgp: [{enc: x}]\n", []age.Identity{id}, "not encrypted for age"},
		"KeyGroups":       {"", "a: 'ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]'\nsops:\n  mac: x\n  key_groups: [{age: []}]\n", []age.Identity{id}, "groups of keys"},
		"Dotenv":          {"", "A=ENC[AES256_GCM,data:x]\nsops_mac=ENC[AES256_GCM,data:x]\n", []age.Identity{id}, "dotenv"},
		"BehindAnother":   {"", "a: b\n---\n" + file, []age.Identity{id}, "the file's first document is not"},
	} {
		t.Run(name, func(t *testing.T) {
			docs, err := document.Parse("a.yaml", []byte(tc.file))
			if err == nil && name != "Dotenv" {
				err = sops.Documents(docs, tc.keys)
			} else {
				_, err = sops.File("a.yaml", []byte(tc.file), tc.keys)
			}

			var e *source.Error
			if !errors.As(err, &e) || e.Reason != source.ReasonDecryptionFailed || !strings.Contains(e.Error(), tc.says) || e.File != "a.yaml" {
				t.Errorf("%s\ngot %v, want %q", tc.reason, err, tc.says)
			}

			if strings.Contains(fmt.Sprint(err), "hunter2") {
				t.Errorf("a value is in the error: %v", err)
			}
		})
	}
}

func TestKeys(t *testing.T) {
	id := newIdentity(t)

	keys, err := sops.ParseKeys([]source.Secret{source.Secret("# created\n" + id.String() + "\n")})
	if err != nil || len(keys) != 1 {
		t.Fatalf("got %d keys, %v", len(keys), err)
	}

	_, err = sops.ParseKeys([]source.Secret{"AGE-SECRET-KEY-1HUNTER2"})
	if err == nil || strings.Contains(err.Error(), "HUNTER2") || !strings.Contains(err.Error(), "ageKeys[0]") {
		t.Errorf("got %v; want the key to be named, and not shown", err)
	}
}

// FuzzFile demands that nothing but an error comes of what is no file of sops.
func FuzzFile(f *testing.F) {
	f.Add([]byte("a: ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]\nsops: {mac: x, age: [{enc: x}], lastmodified: '2026-03-01T12:00:00Z'}\n"))
	f.Add([]byte("{}"))

	id, err := age.GenerateX25519Identity()
	if err != nil {
		f.Fatal(err)
	}

	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := sops.File("a.yaml", data, []age.Identity{id})
		if err == nil && !bytes.Equal(got, data) {
			t.Errorf("%q was decrypted to %q by a key that encrypts nothing", data, got)
		}

		_, _ = io.Discard.Write(got)
	})
}
