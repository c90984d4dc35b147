package imagepolicy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	"github.com/dogker/dogker/reconciler/imagepolicy"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// look is one look at a registry and what follows from it. It runs apart from passes.
type look struct {
	*Controller

	policy *gitopsv1.ImagePolicy
	asked  question
	// hurry is true when somebody has asked for it: then nothing old will do.
	hurry bool
	known branch

	ended ending
}

// ending is how a look ended.
type ending struct {
	asked question
	// tags is how many there are, and latest the image that was chosen; nil when none was.
	tags   int32
	latest *imagepolicy.Image
	// updates are what was changed, in words; commit is the one that was pushed, and when.
	updates []string
	commit  string
	pushed  time.Time
	// where says in words what has the image now.
	where string
	// failed is what went wrong; nil for nothing.
	failed *failure
	known  branch
}

// failure is why a look did not do what it was to.
type failure struct {
	reason, message string
	// lasting is true when only a change by somebody helps.
	lasting bool
	// unknown is true when nothing speaks against what runs.
	unknown bool
}

// Error is the message.
func (f *failure) Error() string { return f.message }

func waiting(reason, format string, args ...any) *failure {
	return &failure{reason: reason, message: fmt.Sprintf(format, args...)}
}

func lasting(reason, format string, args ...any) *failure {
	return &failure{reason: reason, message: fmt.Sprintf(format, args...), lasting: true}
}

// freshList is how old a list of tags may be that somebody has asked for.
const freshList = 2 * time.Second

// run looks, once.
func (l *look) run(ctx context.Context) *ending {
	l.ended = ending{asked: l.asked, known: l.known}

	err := l.choose(ctx)
	if err == nil && l.policy.Spec.Update != nil {
		err = l.update(ctx)
	}

	if err != nil {
		l.ended.failed = asFailure(err)
	}

	return &l.ended
}

func (l *look) update(ctx context.Context) error {
	if l.policy.Spec.Update.Git != nil {
		return l.updateGit(ctx)
	}

	return l.updateContainers(ctx)
}

// asFailure makes an error one that can be shown. What the API says about the owner's own objects is the owner's to read.
func asFailure(err error) *failure {
	var known *failure
	if errors.As(err, &known) {
		return known
	}

	return waiting(gitopsv1.ReasonUpdateFailed, "%s", err)
}

// choose finds the latest image.
func (l *look) choose(ctx context.Context) error {
	spec := &l.policy.Spec

	rule, invalid := imagepolicy.Compile(spec)
	if invalid != nil {
		return lasting(gitopsv1.ReasonPolicyInvalid, "%s", invalid)
	}

	secrets, err := l.pullSecrets(ctx)
	if err != nil {
		return err
	}

	latest := imagepolicy.Image{Repository: string(spec.Image), Tag: rule.Tag(), Pinned: spec.Policy.Digest != nil}

	var tags []string

	if latest.Tag == "" {
		if tags, err = l.registry.Tags(ctx, string(spec.Image), secrets, l.maxAge()); err != nil {
			return unanswered(err)
		}

		l.ended.tags = int32(min(len(tags), math.MaxInt32))

		tag, ok := rule.Latest(tags)
		if !ok {
			return waiting(gitopsv1.ReasonTagNotFound, "None of the tags of %q is one that spec.policy can choose", spec.Image)
		}

		latest.Tag = tag
	}

	if latest.Digest, err = l.digest(ctx, latest.Tag, secrets); err != nil {
		return err
	}

	before, known := imagepolicy.Parse(l.policy.Status.LatestImage)
	if known && before.Tag != latest.Tag && before.Digest == latest.Digest {
		_, still := rule.Latest([]string{before.Tag})
		still = still && slices.Contains(tags, before.Tag)

		if still {
			now, err := l.digest(ctx, before.Tag, secrets)
			still = err == nil && now == before.Digest
		}

		latest = imagepolicy.Keep(before, latest, still)
	}

	l.ended.latest = &latest

	return nil
}

// maxAge is how old a list of tags may be: policies that follow one repository share one.
func (l *look) maxAge() time.Duration {
	if l.hurry {
		return freshList
	}

	return min(l.policy.Spec.Interval.Duration/2, time.Minute)
}

// digest is what a tag leads to.
func (l *look) digest(ctx context.Context, tag string, secrets [][]byte) (string, error) {
	image, err := l.registry.Resolve(ctx, string(l.policy.Spec.Image)+":"+tag, secrets)

	switch {
	case errors.Is(err, swarmobj.ErrNotFound):
		return "", waiting(gitopsv1.ReasonTagNotFound, "%s", err)
	case err != nil:
		return "", unanswered(err)
	}

	_, digest, ok := strings.Cut(image.Reference, "@")
	if !ok {
		return "", waiting(gitopsv1.ReasonRegistryUnavailable, "the registry of %q gives no digest for tag %q", l.policy.Spec.Image, tag)
	}

	return digest, nil
}

// unanswered is what a registry's error means.
func unanswered(err error) *failure {
	if errors.Is(err, swarmobj.ErrNotFound) || errors.Is(err, swarmobj.ErrRefused) {
		return waiting(gitopsv1.ReasonRegistryRefused, "%s", err)
	}

	f := waiting(gitopsv1.ReasonRegistryUnavailable, "%s", err)
	f.unknown = true

	return f
}

// pullSecrets are credentials for the registry: those of the spec, or those that containers which run the image have.
func (l *look) pullSecrets(ctx context.Context) ([][]byte, error) {
	const field = "spec.secretRef.name"

	if ref := l.policy.Spec.SecretRef; ref != nil {
		data, err := l.secret(ctx, field, string(ref.Name))
		if err != nil {
			return nil, err
		}

		if len(data[corev1.DockerConfigJsonKey]) == 0 {
			return nil, waiting(gitopsv1.ReasonSecretNotFound, "%s: Secret %q: data[%q] is missing or empty", field, ref.Name, corev1.DockerConfigJsonKey)
		}

		return [][]byte{data[corev1.DockerConfigJsonKey]}, nil
	}

	containers, err := l.running(ctx)
	if err != nil {
		return nil, err
	}

	var names []string

	for _, c := range containers {
		for _, ref := range c.Spec.ImagePullSecrets {
			names = append(names, string(ref.Name))
		}
	}

	slices.Sort(names)

	var out [][]byte

	for _, name := range slices.Compact(names) {
		// A Secret that is missing is passed over, as it is for containers.
		data, err := l.secret(ctx, field, name)

		var unreadable *failure
		if err != nil && !errors.As(err, &unreadable) {
			return nil, err
		}

		if d := data[corev1.DockerConfigJsonKey]; len(d) > 0 {
			out = append(out, d)
		}
	}

	return out, nil
}

// account is who reads and patches.
func (l *look) account() string {
	return cmp.Or(string(l.policy.Spec.ServiceAccountName), gitopsv1.AccountName)
}
