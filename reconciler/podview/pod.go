package podview

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// Labels and annotations of pods.
const (
	// LabelName is the name that tools of Kubernetes look for.
	LabelName = "app.kubernetes.io/name"
	// LabelSlot is the slot of a task of a replicated container.
	LabelSlot = "dogker.io/slot"
	// AnnotationTask and AnnotationService are the task's ID and the service's name in Swarm.
	AnnotationTask    = "dogker.io/task"
	AnnotationService = "dogker.io/service"
	// AnnotationRevision is the revision that the task was made from, when that is the one that the service runs now.
	AnnotationRevision = "dogker.io/revision"
)

// defaultGrace is how long engines wait before they kill what was not given another time.
const defaultGrace = 10 * time.Second

// uidSpace makes UIDs of Swarm's IDs.
var uidSpace = uuid.MustParse("6b9f7f0e-3a51-4b7c-9a55-0d0f6b1c7e24")

func uidOf(kind, id string) types.UID {
	return types.UID(uuid.NewSHA1(uidSpace, []byte(kind+"/"+id)).String())
}

// Where is the node of a task.
type Where struct {
	// Name by which the node is shown, and Address of the node; empty when not known.
	Name, Address string
	// Lost says why the node's tasks cannot be known to run; empty when they can.
	Lost string
}

// Input is what a pod is made of. All but Task and Owner may be missing.
type Input struct {
	Owner   swarmobj.Owner
	Service *swarm.Service
	Task    Chosen
	Node    Where
	// Declared is the container's spec as it is now, of which env, envFrom, ports and labels are read; nil when not known.
	Declared *v1alpha1.TenantContainerSpec
}

// Pod shows a task.
func Pod(in Input) *corev1.Pod {
	t := &in.Task
	name := swarmobj.PodName(in.Owner, t.Slot, t.NodeID, t.ID)

	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: in.Owner.Tenant, UID: uidOf("task", t.ID),
			CreationTimestamp: metav1.NewTime(t.Created),
			Labels:            labelsOf(&in), Annotations: annotationsOf(&in),
			OwnerReferences: ownersOf(in.Owner),
		},
		Spec: corev1.PodSpec{
			NodeName:                      in.Node.Name,
			RestartPolicy:                 restartPolicyOf(t.Spec),
			TerminationGracePeriodSeconds: new(int64(graceOf(t.Spec) / time.Second)),
			DNSPolicy:                     corev1.DNSClusterFirst,
			SchedulerName:                 "swarm",
			EnableServiceLinks:            new(false),
			AutomountServiceAccountToken:  new(false),
			Containers:                    []corev1.Container{container(&in)},
		},
	}
	if c := containerSpecOf(t.Spec); c != nil {
		pod.Spec.Hostname = c.Hostname
	}
	shutDown(pod, t)
	pod.Status = status(&in, pod)

	return pod
}

// labelsOf are those that the container declares, as far as Kubernetes would take them, and over them ours.
func labelsOf(in *Input) map[string]string {
	out := map[string]string{}
	switch c := containerSpecOf(in.Task.Spec); {
	case c != nil && !adopted(in.Service):
		copyLabels(out, "", c.Labels)
	case in.Declared != nil:
		for k, v := range in.Declared.Labels {
			copyLabels(out, "", map[string]string{k: string(v)})
		}
	}

	ours := map[string]string{v1alpha1.LabelContainer: in.Owner.Name, LabelName: in.Owner.Name}
	if in.Owner.Kind == swarmobj.KindJob {
		ours = map[string]string{v1alpha1.LabelJob: in.Owner.Name, LabelName: in.Owner.Name}
		if in.Service != nil {
			ours[v1alpha1.LabelRun] = in.Service.Spec.Labels[v1alpha1.SwarmLabelRun]
		}
	}
	if in.Task.Slot != 0 {
		ours[LabelSlot] = strconv.Itoa(in.Task.Slot)
	}
	maps.Copy(out, ours)

	return out
}

// copyLabels leaves out what is no label in Kubernetes. Keys of the platform's own are not for others to claim.
func copyLabels(to map[string]string, prefix string, from map[string]string) {
	for k, v := range from {
		if strings.HasPrefix(k, "io.dogker.") || strings.HasPrefix(k, "dogker.io/") || strings.HasPrefix(k, "com.docker.") {
			continue
		}
		if len(validation.IsQualifiedName(prefix+k)) == 0 && len(validation.IsValidLabelValue(v)) == 0 {
			to[prefix+k] = v
		}
	}
}

func annotationsOf(in *Input) map[string]string {
	out := map[string]string{AnnotationTask: in.Task.ID}
	if in.Service != nil {
		out[AnnotationService] = in.Service.Spec.Name
		if r := in.Service.Spec.Labels[v1alpha1.SwarmLabelRevision]; r != "" && in.Task.Current {
			out[AnnotationRevision] = r
		}
	}

	return out
}

// ownersOf refers to the container or the job. It blocks no deletion: Swarm is emptied by the container's own finalizer.
func ownersOf(o swarmobj.Owner) []metav1.OwnerReference {
	if o.Kind != "TenantContainer" && o.Kind != swarmobj.KindJob {
		return nil
	}

	return []metav1.OwnerReference{{
		APIVersion: v1alpha1.GroupVersion.String(), Kind: o.Kind, Name: o.Name, UID: types.UID(o.UID), Controller: new(true), BlockOwnerDeletion: new(false),
	}}
}

// shutDown marks a pod whose task is told to end and has not.
func shutDown(pod *corev1.Pod, t *Chosen) {
	if t.Ended() || meantToRun(t.Desired) || t.Desired == "" {
		return
	}

	asked := t.Updated
	if asked.IsZero() {
		asked = t.Created
	}
	grace := graceOf(t.Spec)
	pod.DeletionTimestamp = new(metav1.NewTime(asked.Add(grace)))
	pod.DeletionGracePeriodSeconds = new(int64(grace / time.Second))
}

func containerSpecOf(s *swarm.TaskSpec) *swarm.ContainerSpec {
	if s == nil {
		return nil
	}

	return s.ContainerSpec
}

func adopted(s *swarm.Service) bool {
	return s != nil && s.Spec.Labels[v1alpha1.SwarmLabelAdopted] != ""
}

func graceOf(s *swarm.TaskSpec) time.Duration {
	if c := containerSpecOf(s); c != nil && c.StopGracePeriod != nil {
		return *c.StopGracePeriod
	}

	return defaultGrace
}

// restartPolicyOf is what happens to the slot: a task itself is never started twice.
func restartPolicyOf(s *swarm.TaskSpec) corev1.RestartPolicy {
	if s == nil || s.RestartPolicy == nil {
		return corev1.RestartPolicyAlways
	}

	switch s.RestartPolicy.Condition {
	case swarm.RestartPolicyConditionNone:
		return corev1.RestartPolicyNever
	case swarm.RestartPolicyConditionOnFailure:
		return corev1.RestartPolicyOnFailure
	default:
		return corev1.RestartPolicyAlways
	}
}
