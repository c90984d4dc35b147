// Package predeploy says which job has to succeed before a new revision of a container is started, and how it stands. It is pure.
//
//	container + template + image ──► Job ──► Judge ──► Waiting | Passed | Failed
//
// What holds:
//
//   - The same container, template, image and declaration give the same job, by name: it is made once, whoever makes it, and its run
//     happens at most once. Another template, image or declaration is another job.
//   - A job that has failed stays so. To try the same again it is deleted.
//
// It is called by controllers/workload. It imports the API's types and reconciler/conditions.
package predeploy

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/conditions"
)

// maxName is how long the name of a job may be.
const maxName = 52

// A suffix has the letters of Kubernetes' generated names, without vowels and what looks like them.
const (
	suffixLength  = 10
	suffixLetters = "bcdfghjklmnpqrstvwxz2456789"
)

// defaultDeadlineSeconds is the default that the API has too.
const defaultDeadlineSeconds = 600

// Job is the job that has to succeed before a template of a container is started with an image; nil when none has to. templateHash
// identifies the template with the content that it refers to.
func Job(tc *v1alpha1.TenantContainer, template *v1alpha1.TenantContainerSpec, templateHash, image string) *v1alpha1.TenantJob {
	if tc.Spec.Rollout == nil || tc.Spec.Rollout.PreDeploy == nil {
		return nil
	}

	declared := tc.Spec.Rollout.PreDeploy.DeepCopy()
	spec := jobSpec(template.DeepCopy(), declared)
	if strings.Contains(image, "@sha256:") {
		spec.Template.Image = v1alpha1.Image(image) // What is tried is what is started.
	}

	yes := true

	return &v1alpha1.TenantJob{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: tc.Namespace,
			Name:      name(tc, templateHash, image, declared),
			Labels:    Labels(tc),
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: v1alpha1.GroupVersion.String(), Kind: "TenantContainer", Name: tc.Name, UID: tc.UID, Controller: &yes,
			}},
		},
		Spec: spec,
	}
}

// Labels are those of all jobs that are made for a container.
func Labels(tc *v1alpha1.TenantContainer) map[string]string {
	return map[string]string{v1alpha1.LabelContainer: tc.Name, v1alpha1.LabelPreDeploy: "true"}
}

func jobSpec(t *v1alpha1.TenantContainerSpec, declared *v1alpha1.PreDeploy) v1alpha1.TenantJobSpec {
	deadline, limit, one := int64(defaultDeadlineSeconds), int32(0), int32(1)
	if declared.ActiveDeadlineSeconds != nil {
		deadline = *declared.ActiveDeadlineSeconds
	}
	if declared.BackoffLimit != nil {
		limit = *declared.BackoffLimit
	}

	command := t.Command
	if len(declared.Command) > 0 {
		command = declared.Command
	}

	env := slices.DeleteFunc(t.Env, func(e v1alpha1.EnvVar) bool {
		return slices.ContainsFunc(declared.Env, func(d v1alpha1.EnvVar) bool { return d.Name == e.Name })
	})

	return v1alpha1.TenantJobSpec{
		ActiveDeadlineSeconds: &deadline,
		BackoffLimit:          &limit,
		Parallelism:           &one,
		Template: v1alpha1.JobTemplate{
			Image:                         t.Image,
			ImagePullPolicy:               t.ImagePullPolicy,
			ImagePullSecrets:              t.ImagePullSecrets,
			Command:                       command,
			Args:                          declared.Args,
			WorkingDir:                    t.WorkingDir,
			Env:                           slices.Concat(env, declared.Env),
			EnvFrom:                       t.EnvFrom,
			Files:                         t.Files,
			Resources:                     t.Resources,
			StopSignal:                    t.StopSignal,
			TerminationGracePeriodSeconds: t.TerminationGracePeriodSeconds,
			Placement:                     t.Placement,
			Security:                      t.Security,
			ExtraHosts:                    t.ExtraHosts,
			Sysctls:                       t.Sysctls,
			Ulimits:                       t.Ulimits,
			Tmpfs:                         t.Tmpfs,
			Labels:                        t.Labels,
			Logging:                       t.Logging,
		},
	}
}

// name is made of all that makes it another job.
func name(tc *v1alpha1.TenantContainer, templateHash, image string, declared *v1alpha1.PreDeploy) string {
	raw, err := json.Marshal([]any{tc.UID, templateHash, image, declared})
	if err != nil {
		panic(fmt.Sprintf("encode preDeploy: %v", err)) // The types of the API always encode.
	}
	sum := sha256.Sum256(raw)

	suffix := make([]byte, suffixLength)
	for i := range suffix {
		suffix[i] = suffixLetters[int(sum[i])%len(suffixLetters)]
	}

	const infix = "-pre-"
	of := tc.Name[:min(len(tc.Name), maxName-len(infix)-suffixLength)]

	return strings.TrimRight(of, "-") + infix + string(suffix)
}

// Verdict is how a job stands.
type Verdict int

// The verdicts.
const (
	// Waiting: it is not over.
	Waiting Verdict = iota
	// Passed: the revision may be started.
	Passed
	// Failed: it may not.
	Failed
)

// Judge says how a job stands, and in people's words why.
func Judge(job *v1alpha1.TenantJob) (verdict Verdict, why string) {
	if conditions.IsTrue(job, v1alpha1.ConditionComplete) {
		return Passed, ""
	}

	text := fmt.Sprintf("TenantJob %q", job.Name)
	if failed := conditions.Get(job, v1alpha1.ConditionFailed); failed != nil && failed.Status == metav1.ConditionTrue {
		return Failed, fmt.Sprintf("%s has failed (%s): %s", text, failed.Reason, failed.Message)
	}

	text += " has to succeed first"
	if ready := conditions.Get(job, conditions.Ready); ready != nil && ready.Message != "" {
		text += ": " + ready.Message
	}

	return Waiting, text
}

// Owned is whether a job was made for a container.
func Owned(job *v1alpha1.TenantJob, tc *v1alpha1.TenantContainer) bool {
	owner := metav1.GetControllerOf(job)

	return owner != nil && owner.UID == tc.UID
}
