package gitsync

import (
	"github.com/dogker/dogker/reconciler/source"
)

// States of commits, in the words that most Git servers have for them.
const (
	// CommitPending means that it is being applied or waited for.
	CommitPending = "pending"
	// CommitSuccess means that it is applied, and healthy where that is asked for.
	CommitSuccess = "success"
	// CommitFailure means that it is not, and why is in the description.
	CommitFailure = "failure"
)

// CommitState is what a Git server is told about a commit.
type CommitState struct {
	// Provider is whose API the server has: github, gitlab, gitea.
	Provider string
	// Address of the API; empty where it is at the host of RepositoryURL.
	Address string
	// RepositoryURL is that of the repository, as it is fetched: who owns it and what it is called is taken from there.
	RepositoryURL string
	// Token may write statuses.
	Token source.Secret
	// CAFile has certificates in PEM that are trusted besides the system's.
	CAFile []byte
	// AllowPrivate lets the server be at an address that is not public. It is for platforms' own repositories.
	AllowPrivate bool
	// Commit is the full hash.
	Commit string
	// Context is what the status is called beside those of others, such as "dogker/acme/web".
	Context string
	// State is CommitPending, CommitSuccess or CommitFailure.
	State string
	// Description says it in a sentence, for those who may read the repository.
	Description string
}
