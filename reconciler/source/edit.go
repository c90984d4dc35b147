package source

import (
	"context"
)

// Editor writes images into repositories.
type Editor interface {
	// Edit brings an image to the places in a branch that are marked for it, commits and pushes. It blocks until that is done,
	// fails, or takes longer than the request or ctx allows. It is idempotent: where every place has the image, nothing is
	// committed. It never forces a push; when somebody else pushes at the same time it begins again with theirs. Errors are of
	// type *Error, as those of a Builder.
	Edit(ctx context.Context, r EditRequest) (Edited, error)
}

// EditRequest says what is written where.
type EditRequest struct {
	// Tenant is whose request this is, as in Request.
	Tenant string `json:"tenant,omitempty"`
	// URL of the repository, and what its server is shown, as in Request.
	URL  string `json:"url"`
	Auth Auth   `json:"auth,omitzero"`
	// Branch to read; the one that the server calls HEAD when empty.
	Branch string `json:"branch,omitempty"`
	// PushBranch is where commits go; Branch when empty. One that is not there is made from Branch.
	PushBranch string `json:"pushBranch,omitempty"`
	// Path of the directory below which files are looked at. Empty is the root.
	Path string `json:"path,omitempty"`
	// Image is what is written.
	Image Image `json:"image"`
	// Author of the commit, with the email address of Email.
	Author string `json:"author"`
	Email  string `json:"email"`
	// Message is a template of the commit's message, in Go's language, over EditMessage; a plain one when empty.
	Message string `json:"message,omitempty"`
	// Limits bound the work.
	Limits Limits `json:"limits,omitzero"`
	// AllowPrivateAddresses is as in Request.
	AllowPrivateAddresses bool `json:"allowPrivateAddresses,omitempty"`
	// Known is the revision that the same request has left, or found, in order: while the branch is there nothing is fetched.
	Known string `json:"known,omitempty"`
}

// Image is one image, and whose markers are for it.
type Image struct {
	// Policy is what markers call it: namespace:name.
	Policy string `json:"policy"`
	// Name is the repository, Tag and Digest what was chosen in it.
	Name   string `json:"name"`
	Tag    string `json:"tag"`
	Digest string `json:"digest"`
	// Pinned is whether a whole reference is written with its digest.
	Pinned bool `json:"pinned,omitempty"`
}

// Reference is the whole image.
func (i Image) Reference() string {
	if i.Pinned {
		return i.Name + ":" + i.Tag + "@" + i.Digest
	}

	return i.Name + ":" + i.Tag
}

// Change is one place in a file.
type Change struct {
	// File is relative to the root of the repository, and Line the line in it.
	File string `json:"file"`
	Line int    `json:"line"`
	// OldValue is what was there, and NewValue what is.
	OldValue string `json:"oldValue"`
	NewValue string `json:"newValue"`
}

// EditMessage is what the template of a commit's message is given.
type EditMessage struct {
	// Policy is what markers call the image: namespace:name.
	Policy string
	// Image is the whole reference, Tag and Digest parts of it.
	Image, Tag, Digest string
	// Files are those that change, and Changes the places in them.
	Files   []string
	Changes []Change
}

// Edited is what became of a request.
type Edited struct {
	// Revision that the branch has from now on, as in Built.
	Revision string `json:"revision"`
	// Unchanged is true when it is EditRequest.Known. Nothing else is known then.
	Unchanged bool `json:"unchanged,omitempty"`
	// Markers is how many places are marked for the image. None means that nothing can ever change.
	Markers int `json:"markers"`
	// Branch that was looked at, or pushed to.
	Branch string `json:"branch"`
	// Commit is the one that was pushed; empty when nothing had to change.
	Commit string `json:"commit,omitempty"`
	// Changes are the places that were changed by it, at most MaxChanges of them.
	Changes []Change `json:"changes,omitempty"`
}

// MaxChanges is how many changes are told of.
const MaxChanges = 100
