package agekey_test

import (
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/dogker/dogker/internal/agekey"
)

func TestBadKeys(t *testing.T) {
	if _, _, err := agekey.Passphrase("short"); err == nil {
		t.Error("a passphrase of five letters was accepted")
	}
	if _, err := agekey.Identities("AGE-SECRET-KEY-1WRONG"); err == nil || strings.Contains(err.Error(), "WRONG") {
		t.Errorf("the error of a key with a typing mistake is %v, want one without the key", err)
	}
	if _, err := agekey.Recipients("age1nobody"); err == nil {
		t.Error("a recipient that is none was accepted")
	}
}

func TestKeys(t *testing.T) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}

	identities, err := agekey.Identities("# of the platform\n" + identity.String() + "\n")
	if err != nil || len(identities) != 1 {
		t.Errorf("%d identities, %v, want the one", len(identities), err)
	}
	recipients, err := agekey.Recipients("# of the platform\n" + identity.Recipient().String() + "\n")
	if err != nil || len(recipients) != 1 {
		t.Errorf("%d recipients, %v, want the one", len(recipients), err)
	}
	if _, _, err := agekey.Passphrase("correct horse battery staple\n"); err != nil {
		t.Errorf("a long passphrase was refused: %v", err)
	}
}
