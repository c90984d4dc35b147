package servicespec

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// TemplateOf is the part of a spec that a revision keeps: all of it but replicas, autoscaling, rollout, revisionHistoryLimit,
// rollbackTo, dependsOn, schedule, stuckTaskPolicy, metrics and paused. The result shares nothing with the spec.
func TemplateOf(spec *v1alpha1.TenantContainerSpec) *v1alpha1.TenantContainerSpec {
	t := spec.DeepCopy()
	t.Replicas = nil
	t.Autoscaling = nil
	t.Rollout = nil
	t.RevisionHistoryLimit = nil
	t.RollbackTo = nil
	t.DependsOn = nil
	t.Schedule = nil
	t.StuckTaskPolicy = ""
	t.Metrics = nil
	t.Paused = false

	return t
}

// A template hash is as long as Kubernetes' pod-template-hash and has its letters, without vowels and what looks like
// them, so that it spells nothing: 47 bits, for the few revisions of one container.
const (
	templateHashLength = 10
	hashLetters        = "bcdfghjklmnpqrstvwxz2456789"
)

// TemplateHash identifies a template together with the content that it refers to, by ContentDigests. It is made of
// lower-case letters and digits. Two templates that mean the same have the same hash: order where order means nothing,
// nil or empty, a default written out or not, a quantity in another unit. So has a template to which a later version of
// the API added a field that is not set. How the image is pulled is no part of it: it changes nothing about what runs.
func TemplateHash(t *v1alpha1.TenantContainerSpec, contents map[string]string) string {
	raw, err := json.Marshal(struct {
		Template *v1alpha1.TenantContainerSpec `json:"template"`
		Contents map[string]string             `json:"contents,omitempty"`
	}{
		Template: essence(t),
		Contents: contents,
	})
	if err != nil {
		panic(fmt.Sprintf("encode template: %v", err)) // The types of the API always encode.
	}
	sum := sha256.Sum256(raw)

	hash := make([]byte, templateHashLength)
	for i := range hash {
		hash[i] = hashLetters[int(sum[i])%len(hashLetters)]
	}

	return string(hash)
}

// ContentDigests are keyed digests of everything a template takes from Secrets and ConfigMaps. The key, which nobody may
// know, keeps a reader of hashes from trying out passwords; it must stay the same, or every container gets a new revision.
func ContentDigests(key []byte, env Variables, files []FileContent) map[string]string {
	out := map[string]string{}
	for _, v := range env {
		if v.Referenced {
			out["env "+v.Name] = keyed(key, []byte(v.Value))
		}
	}
	for _, f := range files {
		out["file "+f.Path] = keyed(key, f.Data)
	}

	return out
}

func keyed(key, data []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(data)

	return hex.EncodeToString(mac.Sum(nil))
}

// essence is a copy of a template in which what means the same looks the same.
func essence(t *v1alpha1.TenantContainerSpec) *v1alpha1.TenantContainerSpec {
	t = TemplateOf(t)
	t.ImagePullPolicy = ""
	t.ImagePullSecrets = nil

	stripDefaults(t)
	stripEmpty(t)
	sortSets(t)
	plainQuantities(t)

	return t
}

// stripDefaults unsets what says no more than not being set. It strips rather than fills in, so that a default which a
// later version adds does not change the hashes of templates that knew nothing of it.
func stripDefaults(t *v1alpha1.TenantContainerSpec) {
	strip(&t.Mode, v1alpha1.ModeReplicated)
	stripPointer(&t.TerminationGracePeriodSeconds, defaultGraceSeconds)

	if h := t.HealthCheck; h != nil {
		stripPointer(&h.PeriodSeconds, defaultPeriodSeconds)
		stripPointer(&h.TimeoutSeconds, defaultTimeoutSeconds)
		stripPointer(&h.FailureThreshold, defaultFailureThreshold)
		stripPointer(&h.StartPeriodSeconds, 0)
		if h.HTTPGet != nil {
			strip(&h.HTTPGet.Path, "/")
		}
	}
	if p := t.RestartPolicy; p != nil {
		strip(&p.Condition, v1alpha1.RestartAlways)
		stripPointer(&p.DelaySeconds, defaultRestartDelaySeconds)
		stripPointer(&p.MaxAttempts, 0)
		stripPointer(&p.WindowSeconds, 0)
	}
	for i := range t.Env {
		stripPointer(&t.Env[i].Value, "")
	}
	for i := range t.Files {
		stripPointer(&t.Files[i].Mode, defaultFileMode)
		stripPointer(&t.Files[i].UID, 0)
		stripPointer(&t.Files[i].GID, 0)
	}
	for i := range t.Ports {
		strip(&t.Ports[i].Protocol, "TCP")
	}
	for i := range t.Tmpfs {
		stripPointer(&t.Tmpfs[i].Mode, defaultTmpfsMode)
	}
}

// stripEmpty unsets parts that say nothing. Lists and maps need no help: the encoder leaves empty ones out.
func stripEmpty(t *v1alpha1.TenantContainerSpec) {
	if r := t.Resources; r != nil {
		r.Requests, r.Limits = orNil(r.Requests), orNil(r.Limits)
	}
	if s := t.Security; s != nil {
		s.Capabilities = orNil(s.Capabilities)
	}
	t.Resources, t.Security, t.Placement = orNil(t.Resources), orNil(t.Security), orNil(t.Placement)
	t.RestartPolicy, t.HealthCheck = orNil(t.RestartPolicy), orNil(t.HealthCheck)
}

func strip[T comparable](value *T, def T) {
	if *value == def {
		*value = *new(T)
	}
}

func stripPointer[T comparable](value **T, def T) {
	if *value != nil && **value == def {
		*value = nil
	}
}

// sortSets orders the lists whose order means nothing.
func sortSets(t *v1alpha1.TenantContainerSpec) {
	by(t.Env, func(e v1alpha1.EnvVar) string { return e.Name })
	by(t.Files, func(f v1alpha1.File) string { return string(f.Path) })
	by(t.Ports, func(p v1alpha1.Port) string { return fmt.Sprintf("%05d %s", p.ContainerPort, p.Protocol) })
	by(t.ExtraHosts, func(h v1alpha1.ExtraHost) string { return h.IP })
	by(t.Ulimits, func(u v1alpha1.Ulimit) string { return u.Name })
	by(t.Volumes, func(m v1alpha1.VolumeMount) string { return string(m.MountPath) })
	by(t.Tmpfs, func(m v1alpha1.Tmpfs) string { return string(m.MountPath) })
	slices.Sort(t.DNSAliases)

	for i := range t.ExtraHosts {
		slices.Sort(t.ExtraHosts[i].Hostnames)
	}
	if t.Placement != nil {
		slices.Sort(t.Placement.Constraints)
		by(t.Placement.Platforms, func(p v1alpha1.Platform) string { return p.OS + "/" + p.Architecture })
	}
	if t.Security != nil && t.Security.Capabilities != nil {
		slices.Sort(t.Security.Capabilities.Add)
		slices.Sort(t.Security.Capabilities.Drop)
	}
}

func by[T any](list []T, key func(T) string) {
	slices.SortStableFunc(list, func(x, y T) int { return cmp.Compare(key(x), key(y)) })
}

// plainQuantities writes amounts in one unit each.
func plainQuantities(t *v1alpha1.TenantContainerSpec) {
	cpu := func(q *resource.Quantity) *resource.Quantity {
		if q == nil {
			return nil
		}

		return resource.NewScaledQuantity(nanoCPUs(q), resource.Nano)
	}
	amount := func(q *resource.Quantity) *resource.Quantity {
		if q == nil {
			return nil
		}

		return resource.NewQuantity(q.Value(), resource.DecimalSI)
	}

	if r := t.Resources; r != nil {
		if r.Requests != nil {
			r.Requests.CPU, r.Requests.Memory = cpu(r.Requests.CPU), amount(r.Requests.Memory)
		}
		if r.Limits != nil {
			r.Limits.CPU, r.Limits.Memory = cpu(r.Limits.CPU), amount(r.Limits.Memory)
		}
	}
	for i := range t.Tmpfs {
		t.Tmpfs[i].Size = *amount(&t.Tmpfs[i].Size)
	}
	if t.Logging != nil {
		t.Logging.MaxSize = amount(t.Logging.MaxSize)
	}
}
