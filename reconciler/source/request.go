package source

import (
	"context"
	"time"
)

// Builder makes objects of repositories.
type Builder interface {
	// Build fetches what the request names and builds it. It blocks until that is done, fails, or takes longer than the
	// request or ctx allows; it is idempotent and leaves nothing behind. Errors are of type *Error, also when ctx ends:
	// errors.Is finds the error of ctx in them then.
	Build(ctx context.Context, r Request) (Built, error)
}

// Request says what to fetch, and how to make objects of it. The zero value of every field but URL is useful.
type Request struct {
	// Tenant is whose build this is. Builders share their workers fairly among tenants, and tell nobody else's.
	Tenant string `json:"tenant,omitempty"`
	// URL of the repository: https://host/path, ssh://user@host/path, or http://host/path without credentials.
	URL string `json:"url"`
	// Ref says which commit.
	Ref Ref `json:"ref,omitzero"`
	// Path of the directory in the repository to build, relative to its root. Empty is the root.
	Path string `json:"path,omitempty"`
	// Auth is what the server is shown, and how it is recognised.
	Auth Auth `json:"auth,omitzero"`
	// Verify demands signatures; nil demands none.
	Verify *Verify `json:"verify,omitempty"`
	// Ignore has lines in the format of .gitignore; what they match is not looked at. They come on top of the defaults and
	// of the .sourceignore files of the repository.
	Ignore string `json:"ignore,omitempty"`
	// Substitute replaces ${name} in what was built, strictly: a variable that has neither a value nor a default is an
	// error. Nil replaces nothing and leaves every $ alone; empty replaces, and knows no variable.
	Substitute map[string]string `json:"substitute"`
	// AgeKeys are age identities, in the format of an age key file, that decrypt files that SOPS has encrypted.
	AgeKeys []Secret `json:"ageKeys,omitempty"`
	// Limits bound the build. A field that is zero has its default; none is unlimited.
	Limits Limits `json:"limits,omitzero"`
	// AllowPrivateAddresses lets the repository be at an address that is not public: private, loopback, link-local and the
	// like. It is for platforms' own repositories, never for tenants'.
	AllowPrivateAddresses bool `json:"allowPrivateAddresses,omitempty"`
	// Known is the revision of which the caller still holds what the same request was built to. While the reference leads
	// there nothing is fetched and Built.Unchanged is true. A caller whose request has changed leaves it empty.
	Known string `json:"known,omitempty"`
}

// Ref is which commit to build. Of several fields that are set the last in this order decides: branch, tag, semver, name,
// commit. None set is the branch that the server calls HEAD.
type Ref struct {
	// Branch to follow.
	Branch string `json:"branch,omitempty"`
	// Tag to follow.
	Tag string `json:"tag,omitempty"`
	// SemVer is a range, such as ">=1.2.0 <2.0.0": the highest tag in it is built.
	SemVer string `json:"semver,omitempty"`
	// Name is a full reference, such as refs/pull/420/head.
	Name string `json:"name,omitempty"`
	// Commit is the full hash of a commit. With Branch it must be one of that branch's.
	Commit string `json:"commit,omitempty"`
}

// Auth is what proves the client to the server and the server to the client.
type Auth struct {
	// Username and Password are for https, and are also how most servers take tokens.
	Username string `json:"username,omitempty"`
	Password Secret `json:"password,omitempty"`
	// BearerToken is for https, instead of them.
	BearerToken Secret `json:"bearerToken,omitempty"`
	// SSHIdentity is a private key in PEM; SSHPassphrase opens it where it is encrypted.
	SSHIdentity   Secret `json:"sshIdentity,omitempty"`
	SSHPassphrase Secret `json:"sshPassphrase,omitempty"`
	// KnownHosts are lines in the format of ssh's known_hosts. They are required for ssh: nothing is trusted on first use.
	KnownHosts string `json:"knownHosts,omitempty"`
	// CAFile has certificates in PEM that are trusted for https besides the system's.
	CAFile []byte `json:"caFile,omitempty"`
}

// VerifyMode says which objects must be signed.
type VerifyMode string

// Modes of verification, as Flux has them.
const (
	// VerifyHEAD demands that the commit is signed.
	VerifyHEAD VerifyMode = "HEAD"
	// VerifyTag demands that the tag is signed, and that the reference is a tag.
	VerifyTag VerifyMode = "Tag"
	// VerifyTagAndHEAD demands both.
	VerifyTagAndHEAD VerifyMode = "TagAndHEAD"
)

// Verify says who must have signed. One of the keys is enough.
type Verify struct {
	// Mode is VerifyHEAD when empty.
	Mode VerifyMode `json:"mode,omitempty"`
	// PGPKeys are armored public keys.
	PGPKeys []string `json:"pgpKeys,omitempty"`
	// SSHKeys are public keys in the format of authorized_keys.
	SSHKeys []string `json:"sshKeys,omitempty"`
}

// Limits bound what one build may use and give. They hold for what the repository's owner can make large.
type Limits struct {
	// CloneBytes is how much the server may send.
	CloneBytes int64 `json:"cloneBytes,omitempty"`
	// TreeBytes is how large all files of the commit may be together, FileBytes how large one that is built may be.
	TreeBytes int64 `json:"treeBytes,omitempty"`
	FileBytes int64 `json:"fileBytes,omitempty"`
	// Files is how many files the commit may have.
	Files int `json:"files,omitempty"`
	// Documents is how many objects may be built.
	Documents int `json:"documents,omitempty"`
	// OutputBytes is how large the objects may be together, as JSON.
	OutputBytes int64 `json:"outputBytes,omitempty"`
	// Time is how long all of it may take, waiting for a worker not included.
	Time time.Duration `json:"time,omitempty"`
}

// DefaultLimits are what holds where a request says nothing. They are far above what people declare containers with, and
// far below what hurts a server.
var DefaultLimits = Limits{
	CloneBytes:  100 << 20,
	TreeBytes:   50 << 20,
	FileBytes:   1 << 20,
	Files:       10_000,
	Documents:   1_000,
	OutputBytes: 16 << 20,
	Time:        time.Minute,
}

// OrDefault has the default in every field that says nothing.
func (l Limits) OrDefault() Limits {
	return Limits{
		CloneBytes:  orDefault(l.CloneBytes, DefaultLimits.CloneBytes),
		TreeBytes:   orDefault(l.TreeBytes, DefaultLimits.TreeBytes),
		FileBytes:   orDefault(l.FileBytes, DefaultLimits.FileBytes),
		Files:       orDefault(l.Files, DefaultLimits.Files),
		Documents:   orDefault(l.Documents, DefaultLimits.Documents),
		OutputBytes: orDefault(l.OutputBytes, DefaultLimits.OutputBytes),
		Time:        orDefault(l.Time, DefaultLimits.Time),
	}
}

// orDefault takes a limit that makes sense. A negative one would be no limit at all in some places.
func orDefault[T int | int64 | time.Duration](limit, otherwise T) T {
	if limit <= 0 {
		return otherwise
	}

	return limit
}
