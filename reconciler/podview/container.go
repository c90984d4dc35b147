package podview

import (
	"slices"
	"strings"

	"github.com/docker/docker/api/types/swarm"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// container is the one of a task. Commands of an adopted service are not shown: nobody has declared them.
func container(in *Input) corev1.Container {
	out := corev1.Container{
		Name: in.Owner.Name, ImagePullPolicy: corev1.PullIfNotPresent,
		TerminationMessagePath: corev1.TerminationMessagePathDefault, TerminationMessagePolicy: corev1.TerminationMessageReadFile,
	}
	if d := in.Declared; d != nil {
		out.Ports, out.EnvFrom = portsOf(d.Ports), envFromOf(d.EnvFrom)
	}

	spec := in.Task.Spec
	c := containerSpecOf(spec)
	if c == nil {
		return out
	}
	out.Image = imageOf(in, c.Image)
	out.TTY, out.Stdin = c.TTY, c.OpenStdin
	out.Env = envOf(in, c.Env)
	if spec.Resources != nil {
		out.Resources = resourcesOf(spec.Resources)
	}
	if !adopted(in.Service) {
		out.Command, out.Args, out.WorkingDir = c.Command, c.Args, c.Dir
	}

	return out
}

// imageOf is how people call the image of a task. One that was never pulled has nothing but its ID; then it is what they have
// written, as long as the task is made of what the service is.
func imageOf(in *Input, image string) string {
	if in.Service != nil && in.Task.Current && isID(image) {
		if written := in.Service.Spec.Labels[v1alpha1.SwarmLabelImage]; written != "" {
			return written
		}
	}

	return tagged(image)
}

// isID tells that an image is called by its ID, which only the engines know it by that have it.
func isID(image string) bool { return strings.HasPrefix(image, "sha256:") }

// tagged is an image without the digest, when it has a tag.
func tagged(image string) string {
	name, _, pinned := strings.Cut(image, "@")
	if !pinned || !strings.Contains(name[strings.LastIndex(name, "/")+1:], ":") {
		return image
	}

	return name
}

// envOf are the declared variables: those with a reference as they are declared, and those with a value when the task has
// that very value. Everything else that the task has may come out of a Secret, and is left out.
func envOf(in *Input, env []string) []corev1.EnvVar {
	if in.Declared == nil {
		return nil
	}

	var out []corev1.EnvVar

	for _, e := range in.Declared.Env {
		if from := e.ValueFrom; from != nil {
			out = append(out, corev1.EnvVar{Name: e.Name, ValueFrom: sourceOf(from)})
			continue
		}
		value := ""
		if e.Value != nil {
			value = string(*e.Value)
		}
		if slices.Contains(env, e.Name+"="+value) {
			out = append(out, corev1.EnvVar{Name: e.Name, Value: value})
		}
	}

	return out
}

func sourceOf(from *v1alpha1.EnvVarSource) *corev1.EnvVarSource {
	out := &corev1.EnvVarSource{}
	if s := from.SecretKeyRef; s != nil {
		out.SecretKeyRef = &corev1.SecretKeySelector{LocalObjectReference: named(s.Name), Key: string(s.Key), Optional: optional(s.Optional)}
	}
	if c := from.ConfigMapKeyRef; c != nil {
		out.ConfigMapKeyRef = &corev1.ConfigMapKeySelector{LocalObjectReference: named(c.Name), Key: string(c.Key), Optional: optional(c.Optional)}
	}

	return out
}

func envFromOf(in []v1alpha1.EnvFromSource) []corev1.EnvFromSource {
	var out []corev1.EnvFromSource

	for _, e := range in {
		from := corev1.EnvFromSource{Prefix: e.Prefix}
		if s := e.SecretRef; s != nil {
			from.SecretRef = &corev1.SecretEnvSource{LocalObjectReference: named(s.Name), Optional: optional(s.Optional)}
		}
		if c := e.ConfigMapRef; c != nil {
			from.ConfigMapRef = &corev1.ConfigMapEnvSource{LocalObjectReference: named(c.Name), Optional: optional(c.Optional)}
		}
		out = append(out, from)
	}

	return out
}

func named[T ~string](name T) corev1.LocalObjectReference {
	return corev1.LocalObjectReference{Name: string(name)}
}

func optional(yes bool) *bool {
	if !yes {
		return nil
	}

	return &yes
}

// portsOf are all that are declared; those published in mode Host are also ports of the node.
func portsOf(in []v1alpha1.Port) []corev1.ContainerPort {
	var out []corev1.ContainerPort

	for _, p := range in {
		port := corev1.ContainerPort{Name: p.Name, ContainerPort: p.ContainerPort, Protocol: corev1.Protocol(p.Protocol)}
		if port.Protocol == "" {
			port.Protocol = corev1.ProtocolTCP
		}
		if p.Publish != nil && p.Publish.Mode == v1alpha1.PublishHost {
			port.HostPort = p.Publish.Port
		}
		out = append(out, port)
	}

	return out
}

func resourcesOf(r *swarm.ResourceRequirements) corev1.ResourceRequirements {
	var out corev1.ResourceRequirements
	if l := r.Limits; l != nil {
		out.Limits = amounts(l.NanoCPUs, l.MemoryBytes)
	}
	if q := r.Reservations; q != nil {
		out.Requests = amounts(q.NanoCPUs, q.MemoryBytes)
	}

	return out
}

func amounts(nanoCPUs, memory int64) corev1.ResourceList {
	out := corev1.ResourceList{}
	if nanoCPUs != 0 {
		out[corev1.ResourceCPU] = cpu(nanoCPUs)
	}
	if memory != 0 {
		out[corev1.ResourceMemory] = *resource.NewQuantity(memory, resource.BinarySI)
	}
	if len(out) == 0 {
		return nil
	}

	return out
}

// cpu is rounded up to what Kubernetes' quantities of CPU hold.
func cpu(nanoCPUs int64) resource.Quantity {
	return *resource.NewMilliQuantity((nanoCPUs+999_999)/1_000_000, resource.DecimalSI)
}
