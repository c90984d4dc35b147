package imagepolicy

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/source"
)

// updateGit commits the image, if a place that is marked for it has another one.
func (l *look) updateGit(ctx context.Context) error {
	r, err := l.editRequest(ctx)
	if err != nil {
		return err
	}

	digest := digestOf(r)
	if l.known.digest == digest {
		r.Known = l.known.revision
	}

	l.ended.known = branch{}

	edited, err := l.editor.Edit(ctx, r)
	if err != nil {
		return refusal(err)
	}

	if !edited.Unchanged && edited.Markers == 0 {
		return waiting(gitopsv1.ReasonMarkerNotFound, "No YAML file below %q on branch %q has a value marked with # {\"$imagepolicy\": %q}",
			cmp.Or(r.Path, "."), edited.Branch, r.Image.Policy)
	}

	l.ended.known = branch{digest: digest, revision: edited.Revision}
	l.ended.where = fmt.Sprintf("branch %q has it", edited.Branch)

	if edited.Commit != "" {
		l.ended.commit, l.ended.pushed = edited.Commit, l.opts.Now()
		l.ended.updates = append(l.ended.updates, fmt.Sprintf("Pushed commit %s to branch %q", edited.Commit, edited.Branch))
	}

	for _, c := range edited.Changes {
		l.ended.updates = append(l.ended.updates, fmt.Sprintf("%s:%d: %s → %s", c.File, c.Line, c.OldValue, c.NewValue))
	}

	return nil
}

// editRequest is what is asked of the editor.
func (l *look) editRequest(ctx context.Context) (source.EditRequest, error) {
	git, namespace := l.policy.Spec.Update.Git, l.policy.Namespace
	latest := l.ended.latest

	r := source.EditRequest{
		Tenant: namespace, URL: git.URL, Branch: git.Branch, PushBranch: git.PushBranch, Path: git.Path,
		Author: git.Author.Name, Email: git.Author.Email, Message: git.MessageTemplate,
		Image: source.Image{
			Policy: namespace + ":" + l.policy.Name, Name: latest.Repository, Tag: latest.Tag, Digest: latest.Digest, Pinned: latest.Pinned,
		},
		AllowPrivateAddresses: l.opts.AllowPrivateAddresses || l.opts.Platform != "" && namespace == l.opts.Platform,
	}

	ref, field := git.SecretRef, "spec.update.git.secretRef.name"

	if git.GitSyncName != "" {
		sync, err := l.sync(ctx, string(git.GitSyncName))
		if err != nil {
			return r, err
		}

		r.URL, r.Path = sync.Spec.URL, cmp.Or(git.Path, sync.Spec.Path)

		if r.Branch == "" && sync.Spec.Ref != nil {
			if r.Branch = sync.Spec.Ref.Branch; *sync.Spec.Ref != (gitopsv1.GitRef{Branch: r.Branch}) {
				return r, waiting(gitopsv1.ReasonGitSyncNotFound, "spec.update.git.branch: Required value: GitSync %q follows more than a branch, and nothing can be pushed to the rest", git.GitSyncName)
			}
		}

		if ref == nil {
			ref, field = sync.Spec.SecretRef, fmt.Sprintf("spec.secretRef.name of GitSync %q", git.GitSyncName)
		}
	}

	if ref == nil {
		return r, nil
	}

	var err error
	r.Auth, err = l.auth(ctx, field, string(ref.Name), r.URL)

	return r, err
}

func (l *look) sync(ctx context.Context, name string) (*gitopsv1.GitSync, error) {
	var sync gitopsv1.GitSync

	err := l.cached.Get(ctx, types.NamespacedName{Namespace: l.policy.Namespace, Name: name}, &sync)
	if apierrors.IsNotFound(err) {
		return nil, waiting(gitopsv1.ReasonGitSyncNotFound, "spec.update.git.gitSyncName: GitSync %q does not exist", name)
	}

	if err != nil {
		return nil, fmt.Errorf("read GitSync %q: %w", name, err)
	}

	return &sync, nil
}

// digestOf tells requests apart without keeping what is secret in them.
func digestOf(r source.EditRequest) string {
	// Strings, numbers and bytes always have a form as JSON.
	data, _ := json.Marshal(r)
	sum := sha256.Sum256(data)

	return hex.EncodeToString(sum[:])
}

// refusal is what an editor's error means.
func refusal(err error) *failure {
	var known *source.Error
	if !errors.As(err, &known) {
		return waiting(string(source.ReasonWorkerFailed), "the commit failed for a cause that is not the repository's")
	}

	// A new commit may mend a file. Only what the spec says itself is for good.
	inSpec := known.Reason == source.ReasonURLInvalid || known.Reason == source.ReasonReferenceInvalid || known.Field == "messageTemplate"

	f := waiting(string(known.Reason), "%s", known)
	f.lasting = inSpec && !known.Transient

	return f
}
