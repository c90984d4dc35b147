package swarmobj

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func keyOf(t *testing.T, b byte) DigestKey {
	t.Helper()

	k, err := NewDigestKey(bytes.Repeat([]byte{b}, DigestKeySize))
	if err != nil {
		t.Fatal(err)
	}

	return k
}

func TestNewDigestKey(t *testing.T) {
	for _, size := range []int{0, 16, 31, 33} {
		if _, err := NewDigestKey(make([]byte, size)); err == nil {
			t.Errorf("a key of %d bytes is taken", size)
		}
	}

	material := bytes.Repeat([]byte{1}, DigestKeySize)
	k, err := NewDigestKey(material)
	if err != nil {
		t.Fatal(err)
	}

	before := k.For("use", "owner")
	material[0]++
	if !bytes.Equal(before, k.For("use", "owner")) {
		t.Error("the key changes with the bytes it was made of")
	}
}

// TestContentNameTellsContentsApart: whatever differs makes another name, and nothing else does.
func TestContentNameTellsContentsApart(t *testing.T) {
	k, other := keyOf(t, 1), keyOf(t, 2)
	secret := Owner{Tenant: "acme", Kind: "Secret", Name: "db"}
	was := k.ContentName(secret, []byte("hunter2"))

	if again := keyOf(t, 1).ContentName(secret, []byte("hunter2")); again != was {
		t.Errorf("a server with the same key names it %q, and another %q", again, was)
	}
	if !regexp.MustCompile(`^acme_db_[0-9a-f]{12}$`).MatchString(was) {
		t.Errorf("got %q, want namespace, name and a digest", was)
	}

	digest := func(name string) string { return name[strings.LastIndex(name, "_"):] }
	for name, tc := range map[string]struct{ reason, got string }{
		"Content": {"A change of content is a new object.", k.ContentName(secret, []byte("hunter3"))},
		"Key":     {"Without the key nobody can make the name.", other.ContentName(secret, []byte("hunter2"))},
		"Name":    {"Who has Secrets of his own must not try passwords out on them.", k.ContentName(Owner{Tenant: "acme", Kind: "Secret", Name: "mine"}, []byte("hunter2"))},
		"Kind":    {"Nor on ConfigMaps.", k.ContentName(Owner{Tenant: "acme", Kind: "ConfigMap", Name: "db"}, []byte("hunter2"))},
		"Tenant":  {"Nor in a namespace of his own.", k.ContentName(Owner{Tenant: "evil", Kind: "Secret", Name: "db"}, []byte("hunter2"))},
	} {
		t.Run(name, func(t *testing.T) {
			if digest(tc.got) == digest(was) {
				t.Errorf("%q has the digest of %q. %s", tc.got, was, tc.reason)
			}
		})
	}
}

func TestContentNameFits(t *testing.T) {
	k := keyOf(t, 1)
	long := Owner{Tenant: strings.Repeat("n", 63), Kind: "Secret", Name: strings.Repeat("s", 253)}
	longer := long
	longer.Name += "s"

	one, two := k.ContentName(long, nil), k.ContentName(longer, nil)
	if len(one) > maxSecretName || len(two) > maxSecretName {
		t.Errorf("%q and %q are longer than Swarm allows", one, two)
	}
	if one == two {
		t.Error("two long names meet")
	}
}

// TestDigestKeyOfEachUse: a digest in one place is of no use in another.
func TestDigestKeyOfEachUse(t *testing.T) {
	k := keyOf(t, 1)
	seen := map[string]string{}

	for _, use := range []string{"a", "b", "ab"} {
		for _, owner := range []string{"", "a", "b", "ab"} {
			derived := string(k.For(use, owner))
			if before, known := seen[derived]; known {
				t.Errorf("use %q of %q has the key of %s", use, owner, before)
			}
			seen[derived] = fmt.Sprintf("use %q of %q", use, owner)
		}
	}
}

func TestDigestKeyIsNotPrinted(t *testing.T) {
	k := keyOf(t, 'k')
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, value := range []any{k, &k, struct{ K DigestKey }{k}, struct{ k DigestKey }{k}} {
			out := fmt.Sprintf(format, value)
			if strings.Contains(out, "kkk") || strings.Contains(out, "107 107") || strings.Contains(out, "0x6b") {
				t.Errorf("%s of %T prints %s", format, value, out)
			}
		}
	}
}

func TestNoKeyPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a digest without a key was made: anybody could make it")
		}
	}()

	DigestKey{}.ContentName(Owner{Tenant: "acme", Kind: "Secret", Name: "db"}, nil)
}
