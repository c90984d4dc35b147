package fetch_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"

	"github.com/dogker/dogker/internal/git/fetch"
	"github.com/dogker/dogker/internal/git/gittest"
	"github.com/dogker/dogker/reconciler/source"
)

// signer signs, and has a public key in the form that it is given to Dogker.
type signer struct {
	sign   func(text string) string
	public string
	name   string
}

func newSSHSigner(t *testing.T, namespace string) signer {
	t.Helper()

	_, key := gittest.NewKey(t)

	return signer{
		public: string(ssh.MarshalAuthorizedKey(key.PublicKey())), name: ssh.FingerprintSHA256(key.PublicKey()),
		sign: func(text string) string {
			sig, err := sshsig.Sign(strings.NewReader(text), key, sshsig.HashSHA512, namespace)
			if err != nil {
				t.Fatal(err)
			}

			return string(sshsig.Armor(sig))
		},
	}
}

func newPGPSigner(t *testing.T) signer {
	t.Helper()

	entity, err := openpgp.NewEntity("Ada", "", "ada@example.test", nil)
	if err != nil {
		t.Fatal(err)
	}

	var public bytes.Buffer

	w, err := armor.Encode(&public, openpgp.PublicKeyType, nil)
	if err != nil {
		t.Fatal(err)
	}

	if err := entity.Serialize(w); err != nil {
		t.Fatal(err)
	}

	if err := w.Close(); err != nil {
		t.Fatal(err)
	}

	return signer{public: public.String(), sign: func(text string) string {
		var b bytes.Buffer
		if err := openpgp.ArmoredDetachSign(&b, entity, strings.NewReader(text), nil); err != nil {
			t.Fatal(err)
		}

		return b.String() + "\n"
	}}
}

// signedCommit is a commit with a signature of a text, which is its own unless it is forged.
func signedCommit(text, signature string) string {
	head, message, _ := strings.Cut(text, "\n\n")

	return head + "\ngpgsig " + strings.ReplaceAll(strings.TrimSuffix(signature, "\n"), "\n", "\n ") + "\n\n" + message
}

func TestVerify(t *testing.T) {
	s := gittest.NewStatic(t)
	ada, eve, pgp := newSSHSigner(t, "git"), newSSHSigner(t, "git"), newPGPSigner(t)
	file := newSSHSigner(t, "file")

	text := func(r *gittest.Repo, message string) string {
		return gittest.CommitText(r.TreeOf(gittest.Files{"a": "1"}), "\n"+message)
	}
	commit := func(sign func(string) string) func(r *gittest.Repo) {
		return func(r *gittest.Repo) {
			c := text(r, "Signed")
			if sign != nil {
				c = signedCommit(c, sign(c))
			}

			r.Ref("refs/heads/main", r.Object("commit", []byte(c)))
		}
	}
	tagged := func(signCommit, signTag func(string) string) func(r *gittest.Repo) {
		return func(r *gittest.Repo) {
			commit(signCommit)(r)

			tag := gittest.TagText("v1", r.Head())
			if signTag != nil {
				tag += signTag(tag)
			}

			r.Ref("refs/tags/v1", r.Object("tag", []byte(tag)))
		}
	}

	for name, tc := range map[string]struct {
		reason string
		repo   func(*gittest.Repo)
		ref    source.Ref
		verify source.Verify
		signer string
		says   string
	}{
		"SSH":          {repo: commit(ada.sign), verify: source.Verify{SSHKeys: []string{eve.public, "# Ada's\n" + ada.public}}, signer: ada.name},
		"PGP":          {repo: commit(pgp.sign), verify: source.Verify{Mode: source.VerifyHEAD, PGPKeys: []string{pgp.public}}},
		"Unsigned":     {repo: commit(nil), verify: source.Verify{SSHKeys: []string{ada.public}}, says: "the commit is not signed"},
		"SSHByAnother": {repo: commit(eve.sign), verify: source.Verify{SSHKeys: []string{ada.public}}, says: "no valid signature by one of the keys"},
		"PGPByAnother": {repo: commit(newPGPSigner(t).sign), verify: source.Verify{PGPKeys: []string{pgp.public}}, says: "no valid signature by one of the keys"},
		"SSHForFiles":  {reason: "A signature that was made for something else says nothing of commits.", repo: commit(file.sign), verify: source.Verify{SSHKeys: []string{file.public}}, says: "no valid signature"},
		"PGPGarbage":   {repo: commit(func(string) string { return "-----BEGIN PGP SIGNATURE-----\nx\n-----END PGP SIGNATURE-----\n" }), verify: source.Verify{PGPKeys: []string{pgp.public}}, says: "no valid signature"},
		"SSHGarbage":   {repo: commit(func(string) string { return "-----BEGIN SSH SIGNATURE-----\nx\n-----END SSH SIGNATURE-----\n" }), verify: source.Verify{SSHKeys: []string{ada.public}}, says: "no valid signature"},
		"X509":         {repo: commit(func(string) string { return "-----BEGIN SIGNED MESSAGE-----\nx\n-----END SIGNED MESSAGE-----\n" }), verify: source.Verify{SSHKeys: []string{ada.public}}, says: "neither PGP nor SSH"},
		"OtherMessage": {reason: "A signature is of one text.", repo: func(r *gittest.Repo) {
			r.Ref("refs/heads/main", r.Object("commit", []byte(signedCommit(text(r, "Changed"), ada.sign(text(r, "Signed"))))))
		}, verify: source.Verify{SSHKeys: []string{ada.public}}, says: "no valid signature"},
		"HeaderAdded": {reason: "Headers that nobody knows are signed like all others.", repo: func(r *gittest.Repo) {
			c := text(r, "Signed")
			r.Ref("refs/heads/main", r.Object("commit", []byte(strings.Replace(signedCommit(c, ada.sign(c)), "\n\n", "\nx-evil 1\n\n", 1))))
		}, verify: source.Verify{SSHKeys: []string{ada.public}}, says: "no valid signature"},
		"TwoSignatures": {reason: "Which of them counts would be a matter of taste.", repo: func(r *gittest.Repo) {
			c := text(r, "Signed")
			r.Ref("refs/heads/main", r.Object("commit", []byte(signedCommit(signedCommit(c, eve.sign(c)), ada.sign(c)))))
		}, verify: source.Verify{SSHKeys: []string{ada.public}}, says: "malformed"},
		"Tag":            {repo: tagged(nil, ada.sign), ref: source.Ref{Tag: "v1"}, verify: source.Verify{Mode: source.VerifyTag, SSHKeys: []string{ada.public}}, signer: ada.name},
		"TagPGP":         {repo: tagged(nil, pgp.sign), ref: source.Ref{SemVer: "*"}, verify: source.Verify{Mode: source.VerifyTag, PGPKeys: []string{pgp.public}}},
		"TagUnsigned":    {repo: tagged(ada.sign, nil), ref: source.Ref{Tag: "v1"}, verify: source.Verify{Mode: source.VerifyTag, SSHKeys: []string{ada.public}}, says: "the tag is not signed"},
		"TagAndHEAD":     {repo: tagged(ada.sign, ada.sign), ref: source.Ref{Tag: "v1"}, verify: source.Verify{Mode: source.VerifyTagAndHEAD, SSHKeys: []string{ada.public}}, signer: ada.name},
		"TagAndNotHEAD":  {repo: tagged(nil, ada.sign), ref: source.Ref{Tag: "v1"}, verify: source.Verify{Mode: source.VerifyTagAndHEAD, SSHKeys: []string{ada.public}}, says: "the commit is not signed"},
		"HEADAndNotTag":  {repo: tagged(ada.sign, eve.sign), ref: source.Ref{Tag: "v1"}, verify: source.Verify{Mode: source.VerifyTagAndHEAD, SSHKeys: []string{ada.public}}, says: "the tag has no valid signature"},
		"TagOfABranch":   {reason: "A branch has nothing that could be signed as a tag.", repo: tagged(ada.sign, ada.sign), ref: source.Ref{Branch: "main"}, verify: source.Verify{Mode: source.VerifyTag, SSHKeys: []string{ada.public}}, says: "a signed tag is demanded"},
		"TagThatIsLight": {repo: func(r *gittest.Repo) { commit(ada.sign)(r); r.Ref("refs/tags/v1", r.Head()) }, ref: source.Ref{Tag: "v1"}, verify: source.Verify{Mode: source.VerifyTag, SSHKeys: []string{ada.public}}, says: "a signed tag is demanded"},
		"KeyOfOtherSort": {repo: commit(ada.sign), verify: source.Verify{PGPKeys: []string{pgp.public}}, says: "no valid signature"},
	} {
		t.Run(name, func(t *testing.T) {
			tc.repo(s.Repo(name))

			c, err := fetch.Fetch(t.Context(), source.Request{
				URL: s.At(name), Ref: tc.ref, Auth: source.Auth{CAFile: s.CA()}, AllowPrivateAddresses: true, Verify: &tc.verify,
			}, t.TempDir())

			reason, message := reasonOf(err)
			if tc.says == "" && (err != nil || !c.Verified || c.Signer == "" || tc.signer != "" && c.Signer != tc.signer) {
				t.Errorf("%s\ngot %+v, %v; want it verified", tc.reason, c, err)
			}

			if tc.says != "" && (reason != source.ReasonInvalidCommitSignature && reason != source.ReasonRepositoryRefused || !strings.Contains(message, tc.says)) {
				t.Errorf("%s\ngot %s, %s; want %q", tc.reason, reason, message, tc.says)
			}
		})
	}
}
