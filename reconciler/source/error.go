package source

import (
	"strconv"
	"strings"
)

// Reason says in one word why there are no objects. It is made to be the reason of a condition. Where Flux has a word for it
// the word is Flux'.
type Reason string

// Reasons of failures.
const (
	// ReasonURLInvalid means that the URL is none that repositories are fetched from.
	ReasonURLInvalid Reason = "URLInvalid"
	// ReasonAddressRefused means that the host is, or leads to, an address that repositories are not fetched from.
	ReasonAddressRefused Reason = "AddressRefused"
	// ReasonAuthenticationFailed means that the server does not accept the credentials, is not the one that is known, or
	// that they cannot be used.
	ReasonAuthenticationFailed Reason = "AuthenticationFailed"
	// ReasonReferenceNotFound means that the repository has no such branch, tag, reference or commit.
	ReasonReferenceNotFound Reason = "ReferenceNotFound"
	// ReasonReferenceInvalid means that the reference cannot be one, in any repository.
	ReasonReferenceInvalid Reason = "ReferenceInvalid"
	// ReasonGitOperationFailed means that the repository could not be fetched, for any other cause.
	ReasonGitOperationFailed Reason = "GitOperationFailed"
	// ReasonInvalidCommitSignature means that a signature was demanded and is missing, bad, or not by one of the keys.
	ReasonInvalidCommitSignature Reason = "InvalidCommitSignature"
	// ReasonPathNotFound means that the commit does not have the directory.
	ReasonPathNotFound Reason = "PathNotFound"
	// ReasonRepositoryRefused means that the repository has something that is not built: a symlink that leaves it, a name
	// that is no plain one.
	ReasonRepositoryRefused Reason = "RepositoryRefused"
	// ReasonLimitExceeded means that the repository, or what it builds to, is larger than Limits allow.
	ReasonLimitExceeded Reason = "LimitExceeded"
	// ReasonTimeout means that it took longer than Limits or the caller allow.
	ReasonTimeout Reason = "Timeout"
	// ReasonDecryptionFailed means that a file is encrypted and no key opens it, or that it was changed after that.
	ReasonDecryptionFailed Reason = "DecryptionFailed"
	// ReasonBuildFailed means that files are wrong: no YAML, no kustomization, no object, a variable without a value.
	ReasonBuildFailed Reason = "BuildFailed"
	// ReasonPushFailed means that the server did not take a commit.
	ReasonPushFailed Reason = "PushFailed"
	// ReasonWorkerFailed means that the worker died, and that it was not the request's doing as far as can be told.
	ReasonWorkerFailed Reason = "WorkerFailed"
)

// Error is why there are no objects. Tenants read it: it holds nothing of the server's, and no secrets.
type Error struct {
	// Reason says it in a word.
	Reason Reason `json:"reason"`
	// File and Line say where, relative to the root of the repository; empty and 0 where it is no file's fault.
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Field is the one of the request, or of the object in the file, that is wrong, as a path: spec.url, metadata.name.
	Field string `json:"field,omitempty"`
	// Message says it in a sentence, without what the other fields say.
	Message string `json:"message"`
	// Transient is true when trying again may help without a new commit and without a change to the request.
	Transient bool `json:"transient,omitempty"`
	// Revision is the one that cannot be built, as Built.Revision has it; empty where it did not come to a commit.
	Revision string `json:"revision,omitempty"`
	// Cause is what errors.Is looks into. It does not travel from a worker to its server.
	Cause error `json:"-"`
}

// Error says where and what, in one line: "apps/web.yaml:12: spec.replicas: must be a number".
func (e *Error) Error() string {
	var b strings.Builder

	if e.File != "" {
		b.WriteString(e.File)

		if e.Line > 0 {
			b.WriteString(":" + strconv.Itoa(e.Line))
		}

		b.WriteString(": ")
	}

	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}

	b.WriteString(e.Message)

	return b.String()
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }
