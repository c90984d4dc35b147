package gitsync

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	gitopsv1 "github.com/dogker/dogker/api/gitops/v1alpha1"
	lifecycle "github.com/dogker/dogker/reconciler/gitsync"
	"github.com/dogker/dogker/reconciler/source"
)

// maxBuild is how long a build may take, whatever a spec says: workers are few, and everybody's.
const maxBuild = 10 * time.Minute

// terms are what a visit needs of the Secrets that a spec names, beside what the build does.
type terms struct {
	webhookPath string
	// status is what commits are told with; nil where nobody is told.
	status *lifecycle.CommitState
}

// missing is why a Secret or ConfigMap cannot be used. It names the field of the spec, the object and the entry.
type missing struct{ text string }

func (m *missing) Error() string { return m.text }

// resolver reads what a spec names, as its ServiceAccount.
type resolver struct {
	accounts Accounts
	sync     *gitopsv1.GitSync
	account  types.NamespacedName
}

func (p *pass) resolver() *resolver {
	return &resolver{accounts: p.accounts, sync: p.sync, account: types.NamespacedName{Namespace: p.sync.Namespace, Name: accountOf(p.sync)}}
}

// accountOf is the name of the ServiceAccount that everything is done as.
func accountOf(s *gitopsv1.GitSync) string {
	if s.Spec.ServiceAccountName == "" {
		return gitopsv1.AccountName
	}

	return string(s.Spec.ServiceAccountName)
}

// resolve makes a request of the spec. An error of type *missing is the owner's to mend.
func (p *pass) resolve(ctx context.Context) (source.Request, terms, error) {
	s, r := &p.sync.Spec, p.resolver()

	out := source.Request{
		Tenant: p.sync.Namespace, URL: s.URL, Path: s.Path, Ignore: s.Ignore,
		Limits:                source.Limits{Time: min(s.Timeout.Duration, maxBuild)},
		AllowPrivateAddresses: p.mayFetchPrivately(),
	}
	if s.Ref != nil {
		out.Ref = source.Ref{Branch: s.Ref.Branch, Tag: s.Ref.Tag, SemVer: s.Ref.SemVer, Name: s.Ref.Name, Commit: s.Ref.Commit}
	}

	var t terms

	for _, part := range []func(context.Context, *source.Request) error{r.auth, r.verify, r.keys, r.variables} {
		if err := part(ctx, &out); err != nil {
			return source.Request{}, terms{}, err
		}
	}

	for _, part := range []func(context.Context, source.Request, *terms) error{r.webhook, r.commitStatus} {
		if err := part(ctx, out, &t); err != nil {
			return source.Request{}, terms{}, err
		}
	}

	return out, t, nil
}

func (p *pass) mayFetchPrivately() bool { return p.opts.AllowPrivateAddresses || p.ofPlatform() }

func (p *pass) ofPlatform() bool { return p.opts.Platform != "" && p.sync.Namespace == p.opts.Platform }

// secret reads a Secret that a field names.
func (r *resolver) secret(ctx context.Context, field string, ref gitopsv1.SecretReference) (map[string][]byte, error) {
	data, err := r.accounts.Secret(ctx, r.account, string(ref.Name))

	return data, r.judge(err, field+".name", "Secret", string(ref.Name))
}

// judge makes a sentence of what keeps an object from being read; other errors are not the owner's.
func (r *resolver) judge(err error, field, kind, name string) error {
	switch {
	case err == nil:
		return nil
	case apierrors.IsNotFound(err):
		return &missing{fmt.Sprintf("%s: %s %q does not exist", field, kind, name)}
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return &missing{fmt.Sprintf("%s: %s %q may not be read by the ServiceAccount %q", field, kind, name, r.account.Name)}
	default:
		return fmt.Errorf("read %s %q: %w", kind, name, err)
	}
}

func lacks(field string, ref gitopsv1.SecretReference, what string) error {
	return &missing{fmt.Sprintf("%s.name: Secret %q: %s", field, ref.Name, what)}
}

// auth is what the Git server is shown.
func (r *resolver) auth(ctx context.Context, out *source.Request) error {
	ref := r.sync.Spec.SecretRef
	if ref == nil {
		return nil
	}

	const field = "spec.secretRef"

	data, err := r.secret(ctx, field, *ref)
	if err != nil {
		return err
	}

	if strings.HasPrefix(r.sync.Spec.URL, "ssh://") {
		for _, key := range []string{"identity", "known_hosts"} {
			if len(data[key]) == 0 {
				return lacks(field, *ref, fmt.Sprintf("data[%q] is missing or empty, and ssh needs it", key))
			}
		}

		out.Auth = source.Auth{
			SSHIdentity: source.Secret(data["identity"]), KnownHosts: string(data["known_hosts"]),
			SSHPassphrase: source.Secret(line(data["password"])),
		}

		return nil
	}

	out.Auth = source.Auth{
		Username: line(data["username"]), Password: source.Secret(line(data["password"])),
		BearerToken: source.Secret(line(data["bearerToken"])), CAFile: data["ca.crt"],
	}

	switch a := out.Auth; {
	case a.Username == "" && a.Password == "" && a.BearerToken == "" && len(a.CAFile) == 0:
		return lacks(field, *ref, "has none of the entries username, password, bearerToken and ca.crt")
	case (a.Username == "") != (a.Password == ""):
		return lacks(field, *ref, "must have both of the entries username and password, or none")
	}

	return nil
}

// line is an entry without the end of line that files have.
func line(value []byte) string { return strings.TrimRight(string(value), "\r\n") }

// verify are the keys of those who may sign.
func (r *resolver) verify(ctx context.Context, out *source.Request) error {
	v := r.sync.Spec.Verify
	if v == nil {
		return nil
	}

	const field = "spec.verify.secretRef"

	data, err := r.secret(ctx, field, v.SecretRef)
	if err != nil {
		return err
	}

	out.Verify = &source.Verify{
		Mode: source.VerifyMode(v.Mode), PGPKeys: suffixed[string](data, ".asc"), SSHKeys: suffixed[string](data, ".pub"),
	}
	if len(out.Verify.PGPKeys)+len(out.Verify.SSHKeys) == 0 {
		return lacks(field, v.SecretRef, "has no entry whose name ends in .asc or .pub")
	}

	return nil
}

// keys open what SOPS has encrypted.
func (r *resolver) keys(ctx context.Context, out *source.Request) error {
	d := r.sync.Spec.Decryption
	if d == nil {
		return nil
	}

	const field = "spec.decryption.secretRef"

	data, err := r.secret(ctx, field, d.SecretRef)
	if err != nil {
		return err
	}

	if out.AgeKeys = suffixed[source.Secret](data, ".agekey"); len(out.AgeKeys) == 0 {
		return lacks(field, d.SecretRef, "has no entry whose name ends in .agekey")
	}

	return nil
}

// suffixed are the entries whose names end in a suffix, by their names.
func suffixed[T ~string](data map[string][]byte, suffix string) []T {
	var out []T

	for _, name := range slices.Sorted(maps.Keys(data)) {
		if strings.HasSuffix(name, suffix) && len(data[name]) > 0 {
			out = append(out, T(data[name]))
		}
	}

	return out
}

// variables are what ${name} stands for.
func (r *resolver) variables(ctx context.Context, out *source.Request) error {
	b := r.sync.Spec.PostBuild
	if b == nil {
		return nil
	}

	out.Substitute = map[string]string{}

	for i, from := range b.SubstituteFrom {
		values, err := r.values(ctx, fmt.Sprintf("spec.postBuild.substituteFrom[%d]", i), from)
		if err != nil {
			return err
		}

		maps.Copy(out.Substitute, values)
	}

	maps.Copy(out.Substitute, b.Substitute)

	return nil
}

// values are the entries of a ConfigMap or Secret; none of one that may be missing and is.
func (r *resolver) values(ctx context.Context, field string, from gitopsv1.SubstituteReference) (map[string]string, error) {
	name := string(from.Name)

	if from.Kind == "ConfigMap" {
		values, err := r.accounts.ConfigMap(ctx, r.account, name)
		if from.Optional && apierrors.IsNotFound(err) {
			return nil, nil
		}

		return values, r.judge(err, field+".name", "ConfigMap", name)
	}

	data, err := r.accounts.Secret(ctx, r.account, name)
	if from.Optional && apierrors.IsNotFound(err) {
		return nil, nil
	}

	values := make(map[string]string, len(data))
	for key, value := range data {
		values[key] = string(value)
	}

	return values, r.judge(err, field+".name", "Secret", name)
}

// webhook is the path that the Git server tells of pushes.
func (r *resolver) webhook(ctx context.Context, _ source.Request, t *terms) error {
	w := r.sync.Spec.Webhook
	if w == nil {
		return nil
	}

	const field = "spec.webhook.secretRef"

	data, err := r.secret(ctx, field, w.SecretRef)
	if err != nil {
		return err
	}

	token, err := lifecycle.WebhookToken(data)
	if err != nil {
		return lacks(field, w.SecretRef, err.Error())
	}

	t.webhookPath = lifecycle.WebhookPath(token, r.sync.Namespace, r.sync.Name, string(r.sync.UID))

	return nil
}

// commitStatus is what commits are told with.
func (r *resolver) commitStatus(ctx context.Context, out source.Request, t *terms) error {
	c := r.sync.Spec.CommitStatus
	if c == nil {
		return nil
	}

	const field = "spec.commitStatus.secretRef"

	data, err := r.secret(ctx, field, c.SecretRef)
	if err != nil {
		return err
	}

	token := line(data[lifecycle.TokenKey])
	if token == "" {
		return lacks(field, c.SecretRef, fmt.Sprintf("data[%q] is missing or empty", lifecycle.TokenKey))
	}

	t.status = &lifecycle.CommitState{
		Provider: string(c.Provider), Address: c.Address, RepositoryURL: r.sync.Spec.URL, Token: source.Secret(token),
		CAFile: out.Auth.CAFile, AllowPrivate: out.AllowPrivateAddresses,
		Context: "dogker/" + r.sync.Namespace + "/" + r.sync.Name,
	}

	return nil
}

// digestOf is the same for requests that are built to the same. It stays in memory: it is made of secrets.
func digestOf(r source.Request) string {
	r.Known = ""
	// Marshalling what is text, numbers and maps of text cannot fail.
	raw, _ := json.Marshal(r)
	sum := sha256.Sum256(raw)

	return hex.EncodeToString(sum[:])
}
