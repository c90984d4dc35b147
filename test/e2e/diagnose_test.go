//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

// diagnose prints what the API and the engine hold of the namespace, for whoever has to find out why a test failed.
func (n *tenant) diagnose() {
	n.t.Helper()

	n.t.Logf("namespace %q in the API:\n%s", n.name, n.apiView())
	n.t.Logf("namespace %q in Swarm:\n%s", n.name, n.swarmView())
	n.t.Logf("namespace %q in the log of the server:\n%s", n.name, n.logView(60))
}

func (n *tenant) apiView() string {
	ctx, cancel := contextFor(instant)
	defer cancel()

	var list v1alpha1.TenantContainerList
	if err := n.api.List(ctx, &list, client.InNamespace(n.name)); err != nil {
		return err.Error()
	}

	var b strings.Builder
	for _, tc := range list.Items {
		tc.ManagedFields = nil
		text, _ := yaml.Marshal(tc)
		fmt.Fprintf(&b, "---\n%sevents:\n", text)
		for _, e := range n.eventsFor(tc.Name) {
			fmt.Fprintf(&b, "  %s\n", e)
		}
	}

	b.WriteString(n.dataView())

	return b.String()
}

// dataView are Volumes and snapshots.
func (n *tenant) dataView() string {
	ctx, cancel := contextFor(instant)
	defer cancel()

	var held v1alpha1.VolumeList
	var saved v1alpha1.VolumeSnapshotList
	if err := errors.Join(n.api.List(ctx, &held, client.InNamespace(n.name)), n.api.List(ctx, &saved, client.InNamespace(n.name))); err != nil {
		return err.Error()
	}

	var b strings.Builder
	for i := range held.Items {
		held.Items[i].ManagedFields = nil
		text, _ := yaml.Marshal(held.Items[i])
		fmt.Fprintf(&b, "---\n%sevents:\n  %s\n", text, strings.Join(n.eventsFor(held.Items[i].Name), "\n  "))
	}
	for i := range saved.Items {
		saved.Items[i].ManagedFields = nil
		text, _ := yaml.Marshal(saved.Items[i])
		fmt.Fprintf(&b, "---\n%sevents:\n  %s\n", text, strings.Join(n.eventsFor(saved.Items[i].Name), "\n  "))
	}

	return b.String()
}

func (n *tenant) eventsFor(name string) []string {
	ctx, cancel := contextFor(instant)
	defer cancel()

	texts, err := n.eventTexts(ctx, name)
	if err != nil {
		return []string{err.Error()}
	}

	return texts
}

func (n *tenant) swarmView() string {
	ctx, cancel := contextFor(instant)
	defer cancel()

	own := filters.NewArgs(filters.Arg("label", v1alpha1.SwarmLabelTenant+"="+n.name))
	services, err := n.docker().ServiceList(ctx, swarm.ServiceListOptions{Filters: own})
	if err != nil {
		return err.Error()
	}

	var b strings.Builder
	for _, s := range services {
		fmt.Fprintf(&b, "%s version %d update %+v labels %v\n", s.Spec.Name, s.Version.Index, s.UpdateStatus, s.Spec.Labels)
		tasks, err := n.docker().TaskList(ctx, swarm.TaskListOptions{Filters: filters.NewArgs(filters.Arg("service", s.ID))})
		if err != nil {
			return err.Error()
		}
		for _, task := range tasks {
			fmt.Fprintf(&b, "  %s slot %d since %s: %s, wanted %s: %s %s\n", task.Spec.ContainerSpec.Image, task.Slot,
				task.Status.Timestamp.Format("15:04:05.000"), task.Status.State, task.DesiredState, task.Status.Message, task.Status.Err)
		}
	}

	return b.String()
}

// logView is the end of what the server has logged about the namespace.
func (n *tenant) logView(lines int) string {
	content, err := os.ReadFile(n.server.logFile())
	if err != nil {
		return err.Error()
	}

	var about []string
	for line := range strings.Lines(string(content)) {
		if strings.Contains(line, n.name+"/") || strings.Contains(line, n.name+"_") || strings.Contains(line, "="+n.name) {
			about = append(about, line)
		}
	}

	return strings.Join(about[max(0, len(about)-lines):], "")
}
