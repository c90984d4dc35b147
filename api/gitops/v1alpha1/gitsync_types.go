package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// GitSync keeps what a directory of a Git repository declares applied, pruned and free of drift, with the rights of a
// ServiceAccount of its namespace and no others.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=gitsyncs,shortName=gs,categories=dogker
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`,description="Whether what the repository declares is applied, and healthy where that is asked for."
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`,description="Why, in one word."
// +kubebuilder:printcolumn:name="Revision",type=string,JSONPath=`.status.lastAppliedRevision`,description="What is applied."
// +kubebuilder:printcolumn:name="Suspended",type=boolean,JSONPath=`.spec.suspend`,description="Whether it rests."
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Objects",type=integer,priority=1,JSONPath=`.status.objects`,description="How many objects it answers for."
// +kubebuilder:printcolumn:name="URL",type=string,priority=1,JSONPath=`.spec.url`,description="The repository."
// +kubebuilder:printcolumn:name="Path",type=string,priority=1,JSONPath=`.spec.path`,description="The directory in it."
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`,description="Why, in a sentence."
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 63 && !self.metadata.name.contains('.')",message="metadata.name must be a DNS label: at most 63 characters and no dots, because labels of what it applies hold it",messageExpression="'metadata.name: \"' + self.metadata.name + '\" must be a DNS label: at most 63 characters and no dots, because labels of what it applies hold it'"
type GitSync struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what to keep applied.
	Spec GitSyncSpec `json:"spec"`
	// Status says what is applied. All but the inventory is restored when deleted. Until it was looked at it is about no
	// generation, so that tools which go by kstatus do not take what is new for something that never has a status.
	// +kubebuilder:default={"observedGeneration":-1}
	// +optional
	Status GitSyncStatus `json:"status,omitempty"`
}

// GitSyncList is a list of GitSyncs.
//
// +kubebuilder:object:root=true
type GitSyncList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []GitSync `json:"items"`
}

// GitSyncSpec is what to keep applied. Fields have the names that Flux' GitRepository and Kustomization give them.
//
// +kubebuilder:validation:XValidation:rule="!has(self.verify) || !has(self.verify.mode) || self.verify.mode == 'HEAD' || (has(self.ref) && (has(self.ref.tag) || has(self.ref.semver)))",message="verify.mode Tag and TagAndHEAD need ref.tag or ref.semver",fieldPath=".verify.mode"
type GitSyncSpec struct {
	// URL of the repository: https://host/path or ssh://user@host/path.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^(https|http|ssh)://[^\\\\s/]+/[^\\\\s]+$')",message="must be https://host/path or ssh://user@host/path; an http URL is accepted without credentials only",messageExpression="'\"' + self + '\" must be https://host/path or ssh://user@host/path; an http URL is accepted without credentials only'"
	URL string `json:"url"`

	// Ref says which commit is applied: the branch that the server calls HEAD when nothing else is said.
	// +optional
	Ref *GitRef `json:"ref,omitempty"`

	// Path of the directory to build, relative to the root of the repository: one with a kustomization.yaml, or all YAML in
	// it and below it. The root when empty.
	// +kubebuilder:validation:MaxLength=255
	// +optional
	Path string `json:"path,omitempty"`

	// Ignore has lines as .gitignore has them; files that match are not looked at. They come on top of the .sourceignore
	// files of the repository.
	// +kubebuilder:validation:MaxLength=4096
	// +optional
	Ignore string `json:"ignore,omitempty"`

	// SecretRef names a Secret of the namespace with what the Git server is shown: username and password, or bearerToken,
	// for https, with ca.crt where its certificate is not publicly trusted; identity, known_hosts and, where the key is
	// encrypted, password for ssh.
	// +optional
	SecretRef *SecretReference `json:"secretRef,omitempty"`

	// Verify demands signed commits or tags. Nothing is applied that is not signed by one of the keys.
	// +optional
	Verify *GitVerify `json:"verify,omitempty"`

	// Interval between two looks at the repository, and at drift: 30s to 24h. Syncs are spread by a twentieth of it.
	// +kubebuilder:default="5m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('30s') && duration(self) <= duration('24h')",message="must be from 30s to 24h",messageExpression="'\"' + self + '\" must be from 30s to 24h'"
	// +optional
	Interval metav1.Duration `json:"interval,omitzero"`

	// RetryInterval is when it is tried again after a failure: 10s to 24h, the interval when not set. Failures in a row are
	// tried ever later, up to 15 minutes or the interval.
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10s') && duration(self) <= duration('24h')",message="must be from 10s to 24h",messageExpression="'\"' + self + '\" must be from 10s to 24h'"
	// +optional
	RetryInterval *metav1.Duration `json:"retryInterval,omitempty"`

	// Timeout is how long a fetch may take, and how long is waited for what was applied to be healthy: 10s to 1h. Fetching and
	// building together take 10 minutes at most, whatever it says.
	// +kubebuilder:default="3m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10s') && duration(self) <= duration('1h')",message="must be from 10s to 1h",messageExpression="'\"' + self + '\" must be from 10s to 1h'"
	// +optional
	Timeout metav1.Duration `json:"timeout,omitzero"`

	// Prune deletes what it has applied and the repository has no more. It has no default, because either would surprise
	// somebody.
	Prune bool `json:"prune"`

	// PruneEmpty lets a repository that has nothing any more, or nothing of what it had, delete everything. Otherwise that
	// is taken for a mistake, and nothing is deleted.
	// +optional
	PruneEmpty bool `json:"pruneEmpty,omitempty"`

	// Wait until everything that was applied is healthy before the sync is Ready, and before anything is pruned.
	// +optional
	Wait bool `json:"wait,omitempty"`

	// Force deletes and makes anew what cannot be changed in place. One object asks for it by its annotation
	// gitops.dogker.io/force: Enabled.
	// +optional
	Force bool `json:"force,omitempty"`

	// Suspend lets the sync rest: nothing is fetched, applied or put back. What was applied stays.
	// +optional
	Suspend bool `json:"suspend,omitempty"`

	// DependsOn names GitSyncs of the same namespace that must be Ready before this one is applied.
	// +kubebuilder:validation:MaxItems=32
	// +listType=map
	// +listMapKey=name
	// +optional
	DependsOn []SyncReference `json:"dependsOn,omitempty"`

	// ServiceAccountName is the ServiceAccount of the namespace as which everything is read and applied. Whoever writes the
	// spec must be allowed to create tokens of it. The default has the rights of a developer in every tenant.
	// +kubebuilder:default=gitsync
	// +optional
	ServiceAccountName v1alpha1.ObjectName `json:"serviceAccountName,omitempty"`

	// PostBuild replaces ${variables} in what was built.
	// +optional
	PostBuild *PostBuild `json:"postBuild,omitempty"`

	// Decryption opens files that SOPS has encrypted.
	// +optional
	Decryption *Decryption `json:"decryption,omitempty"`

	// IgnoreFields names fields that somebody else decides about once the object is there, such as the replicas of what is
	// scaled automatically.
	// +kubebuilder:validation:MaxItems=32
	// +listType=atomic
	// +optional
	IgnoreFields []IgnoreFields `json:"ignoreFields,omitempty"`

	// DeletionPolicy says what becomes of what was applied when the GitSync is deleted. MirrorPrune: deleted where prune is
	// set. Delete: deleted. Orphan: it stays.
	// +kubebuilder:default=MirrorPrune
	// +optional
	DeletionPolicy DeletionPolicy `json:"deletionPolicy,omitempty"`

	// Webhook lets the Git server tell of pushes, so that they are applied at once. status.webhookPath is where.
	// +optional
	Webhook *GitWebhook `json:"webhook,omitempty"`

	// CommitStatus tells the Git server what became of a commit.
	// +optional
	CommitStatus *CommitStatus `json:"commitStatus,omitempty"`
}

// GitRef says which commit is applied. Of several fields the last one decides, in the order branch, tag, semver, name,
// commit; a commit with a branch must be one of it.
type GitRef struct {
	// Branch to follow.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +optional
	Branch string `json:"branch,omitempty"`
	// Tag to follow.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +optional
	Tag string `json:"tag,omitempty"`
	// SemVer is a range, such as ">=1.2.0 <2.0.0": the highest tag in it is applied.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +optional
	SemVer string `json:"semver,omitempty"`
	// Name is a full reference, such as refs/pull/420/head.
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:XValidation:rule="self.startsWith('refs/')",message="must be a full reference that begins with refs/",messageExpression="'\"' + self + '\" must be a full reference that begins with refs/'"
	// +optional
	Name string `json:"name,omitempty"`
	// Commit is the full hash of a commit.
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:XValidation:rule="self.matches('^([0-9a-f]{40}|[0-9a-f]{64})$')",message="must be the full hash of a commit, 40 or 64 hexadecimal digits",messageExpression="'\"' + self + '\" must be the full hash of a commit, 40 or 64 hexadecimal digits'"
	// +optional
	Commit string `json:"commit,omitempty"`
}

// SecretReference names a Secret of the namespace.
type SecretReference struct {
	// Name of the Secret.
	Name v1alpha1.ObjectName `json:"name"`
}

// SyncReference names a GitSync of the namespace.
type SyncReference struct {
	// Name of the GitSync.
	Name v1alpha1.DNSLabel `json:"name"`
}

// GitVerify demands signatures.
type GitVerify struct {
	// Mode says what must be signed: the commit (HEAD), the tag (Tag), or both (TagAndHEAD).
	// +kubebuilder:default=HEAD
	// +optional
	Mode VerifyMode `json:"mode,omitempty"`
	// SecretRef names a Secret of the namespace with the keys of those who may sign, one of which must have: armored PGP
	// public keys in entries that end with .asc, SSH public keys in entries that end with .pub.
	SecretRef SecretReference `json:"secretRef"`
}

// VerifyMode says what must be signed.
//
// +kubebuilder:validation:Enum=HEAD;Tag;TagAndHEAD
type VerifyMode string

// The modes of verification, as Flux has them.
const (
	VerifyHEAD       VerifyMode = "HEAD"
	VerifyTag        VerifyMode = "Tag"
	VerifyTagAndHEAD VerifyMode = "TagAndHEAD"
)

// PostBuild replaces ${variables} in what was built: strictly, a variable without a value and without a default is an
// error. An object with the annotation gitops.dogker.io/substitute: Disabled is left alone.
type PostBuild struct {
	// Substitute are variables and their values.
	// +kubebuilder:validation:MaxProperties=128
	// +optional
	Substitute map[string]string `json:"substitute,omitempty"`
	// SubstituteFrom names ConfigMaps and Secrets whose entries are variables. Later ones win over earlier ones, and
	// substitute wins over all.
	// +kubebuilder:validation:MaxItems=16
	// +listType=atomic
	// +optional
	SubstituteFrom []SubstituteReference `json:"substituteFrom,omitempty"`
}

// SubstituteReference names a ConfigMap or Secret of the namespace.
type SubstituteReference struct {
	// Kind is ConfigMap or Secret.
	// +kubebuilder:validation:Enum=ConfigMap;Secret
	Kind string `json:"kind"`
	// Name of the object.
	Name v1alpha1.ObjectName `json:"name"`
	// Optional lets it be missing.
	// +optional
	Optional bool `json:"optional,omitempty"`
}

// Decryption opens files that SOPS has encrypted.
type Decryption struct {
	// Provider is sops, with age keys.
	// +kubebuilder:validation:Enum=sops
	Provider string `json:"provider"`
	// SecretRef names a Secret of the namespace whose entries that end with .agekey are age identities.
	SecretRef SecretReference `json:"secretRef"`
}

// IgnoreFields names fields of some objects.
type IgnoreFields struct {
	// Kind and Name of the objects; all when empty.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Kind string `json:"kind,omitempty"`
	// Name of the objects.
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Name string `json:"name,omitempty"`
	// Paths are JSON pointers, such as /spec/replicas.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=255
	// +kubebuilder:validation:items:Pattern=`^(/[^/]+)+$`
	// +listType=set
	Paths []string `json:"paths"`
}

// DeletionPolicy says what becomes of what was applied when the GitSync is deleted.
//
// +kubebuilder:validation:Enum=MirrorPrune;Delete;Orphan
type DeletionPolicy string

// The deletion policies, as Flux has them.
const (
	DeletionMirrorPrune DeletionPolicy = "MirrorPrune"
	DeletionDelete      DeletionPolicy = "Delete"
	DeletionOrphan      DeletionPolicy = "Orphan"
)

// GitWebhook lets a Git server tell of pushes. What it sends is a hint to look at the repository, and nothing more.
type GitWebhook struct {
	// Type of the sender, which says how it proves that it knows the token. github and gitea: HMAC-SHA256 in
	// X-Hub-Signature-256 or X-Gitea-Signature. gitlab: the token itself in X-Gitlab-Token. generic-hmac: HMAC in
	// X-Signature, as Flux' receivers of that type have it.
	Type WebhookType `json:"type"`
	// SecretRef names a Secret of the namespace whose entry token both sides know: at least 16 characters.
	SecretRef SecretReference `json:"secretRef"`
}

// WebhookType is a kind of sender.
//
// +kubebuilder:validation:Enum=github;gitlab;gitea;generic-hmac
type WebhookType string

// The types of senders, as Flux' receivers have them.
const (
	WebhookGitHub  WebhookType = "github"
	WebhookGitLab  WebhookType = "gitlab"
	WebhookGitea   WebhookType = "gitea"
	WebhookGeneric WebhookType = "generic-hmac"
)

// CommitStatus tells a Git server what became of a commit.
type CommitStatus struct {
	// Provider is whose API the server has.
	Provider CommitStatusProvider `json:"provider"`
	// Address of the API, where it is not at the host of spec.url: https://host/path.
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^https?://[^\\\\s/]+(/[^\\\\s]*)?$')",message="must be https://host/path",messageExpression="'\"' + self + '\" must be https://host/path'"
	// +optional
	Address string `json:"address,omitempty"`
	// SecretRef names a Secret of the namespace whose entry token may write statuses of the repository's commits.
	SecretRef SecretReference `json:"secretRef"`
}

// CommitStatusProvider is a kind of Git server.
//
// +kubebuilder:validation:Enum=github;gitlab;gitea
type CommitStatusProvider string

// The providers of commit statuses.
const (
	StatusGitHub CommitStatusProvider = "github"
	StatusGitLab CommitStatusProvider = "gitlab"
	StatusGitea  CommitStatusProvider = "gitea"
)
