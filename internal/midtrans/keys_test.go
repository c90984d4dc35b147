package midtrans

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadKeys(t *testing.T) {
	cases := map[string]struct {
		reason, text string
		want         []string // none is an error
	}{
		"One":     {"With the line's end that editors add.", secret + "\n", []string{secret}},
		"Two":     {"While keys are changed.", "# since May\r\n" + secret + "\r\n\r\n  Mid-server-the-next-one", []string{secret, "Mid-server-the-next-one"}},
		"None":    {"Nothing would be signed, and everything refused.", "# later\n", nil},
		"Three":   {"Somebody has forgotten to take one out.", strings.Repeat(secret+"\n", 3), nil},
		"NoKey":   {"A path, or a sentence.", "the key is " + secret, nil},
		"TooLong": {"Not a file of keys.", strings.Repeat("#", maxKeyFile+1), nil},
		"Binary":  {"Not a file of keys.", "\x00\x01" + secret, nil},
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys")
			if err := os.WriteFile(path, []byte(tc.text), 0o600); err != nil {
				t.Fatal(err)
			}

			got, err := ReadKeys(path)
			if (err == nil) != (tc.want != nil) || len(got) != len(tc.want) {
				t.Fatalf("%s\nread %d keys, %v", tc.reason, len(got), err)
			}

			for i, k := range got {
				if k.Reveal() != tc.want[i] {
					t.Errorf("%s\nkey %d is another", tc.reason, i)
				}
			}

			if err != nil && strings.Contains(err.Error(), "TOPsecret") {
				t.Errorf("%s\nthe error holds the key: %v", tc.reason, err)
			}
		})
	}

	if _, err := ReadKeys(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there has keys")
	}
}
