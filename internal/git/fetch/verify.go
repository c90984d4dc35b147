package fetch

import (
	"bytes"
	"encoding/hex"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/dogker/dogker/reconciler/source"
)

const (
	beginPGP = "-----BEGIN PGP SIGNATURE-----"
	beginSSH = "-----BEGIN SSH SIGNATURE-----"
	// namespace is what Git signs in, so that a signature made for something else is none.
	namespace = "git"
)

// checkVerify refuses a demand that nothing could meet, before anything is asked.
func checkVerify(v *source.Verify) error {
	if v == nil {
		return nil
	}

	refuse := func(field, message string) error {
		return &source.Error{Reason: source.ReasonInvalidCommitSignature, Field: "verify." + field, Message: message}
	}

	switch v.Mode {
	case "", source.VerifyHEAD, source.VerifyTag, source.VerifyTagAndHEAD:
	default:
		return refuse("mode", "must be HEAD, Tag or TagAndHEAD")
	}

	if len(v.PGPKeys)+len(v.SSHKeys) == 0 {
		return refuse("keys", "at least one public key is required")
	}

	if _, err := pgpRing(v.PGPKeys); err != nil {
		return refuse("pgpKeys", "one of them is no armored public key")
	}

	if _, err := sshKeys(v.SSHKeys); err != nil {
		return refuse("sshKeys", "one of them is no public key in the format of authorized_keys")
	}

	return nil
}

// verify demands the signatures and says whose the last one is.
func verify(v *source.Verify, tag *signed, commit signed) (signer string, err error) {
	if v.Mode == source.VerifyTag || v.Mode == source.VerifyTagAndHEAD {
		if tag == nil {
			return "", lasting(source.ReasonInvalidCommitSignature, "a signed tag is demanded, and the reference is none that can be signed")
		}

		if signer, err = verifyOne("tag", *tag, v); err != nil {
			return "", err
		}
	}

	if v.Mode != source.VerifyTag {
		return verifyOne("commit", commit, v)
	}

	return signer, nil
}

func verifyOne(what string, s signed, v *source.Verify) (string, error) {
	switch {
	case s.signature == "":
		return "", lasting(source.ReasonInvalidCommitSignature, "the %s is not signed", what)
	case strings.HasPrefix(s.signature, beginPGP):
		if signer, ok := verifyPGP(s, v.PGPKeys); ok {
			return signer, nil
		}
	case strings.HasPrefix(s.signature, beginSSH):
		if signer, ok := verifySSH(s, v.SSHKeys); ok {
			return signer, nil
		}
	default:
		return "", lasting(source.ReasonInvalidCommitSignature, "the %s is signed in a format that is neither PGP nor SSH", what)
	}

	return "", lasting(source.ReasonInvalidCommitSignature, "the %s has no valid signature by one of the keys", what)
}

// pgpRing is all keys of all armored blocks.
func pgpRing(armored []string) (openpgp.EntityList, error) {
	var ring openpgp.EntityList

	for _, key := range armored {
		entities, err := openpgp.ReadArmoredKeyRing(strings.NewReader(key))
		if err != nil {
			return nil, err
		}

		ring = append(ring, entities...)
	}

	return ring, nil
}

func verifyPGP(s signed, keys []string) (string, bool) {
	ring, err := pgpRing(keys)
	if err != nil || len(ring) == 0 {
		return "", false
	}

	entity, err := openpgp.CheckArmoredDetachedSignature(ring, bytes.NewReader(s.payload), strings.NewReader(s.signature), nil)
	if err != nil || entity == nil {
		return "", false
	}

	return strings.ToUpper(hex.EncodeToString(entity.PrimaryKey.Fingerprint)), true
}

// sshKeys are all keys of all lines; comments and empty lines are skipped.
func sshKeys(lines []string) ([]ssh.PublicKey, error) {
	var keys []ssh.PublicKey

	for _, line := range lines {
		for rest := []byte(strings.TrimSpace(line)); len(rest) > 0; {
			key, _, _, after, err := ssh.ParseAuthorizedKey(rest)
			if err != nil {
				return nil, err
			}

			keys, rest = append(keys, key), bytes.TrimSpace(after)
		}
	}

	return keys, nil
}

func verifySSH(s signed, lines []string) (string, bool) {
	keys, err := sshKeys(lines)
	if err != nil {
		return "", false
	}

	sig, err := sshsig.Unarmor([]byte(s.signature))
	if err != nil {
		return "", false
	}

	for _, key := range keys {
		if sshsig.Verify(bytes.NewReader(s.payload), sig, key, sig.HashAlgorithm, namespace) == nil {
			return ssh.FingerprintSHA256(key), true
		}
	}

	return "", false
}
