package faults

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	dswarm "github.com/docker/docker/api/types/swarm"

	"github.com/dogker/dogker/reconciler/converge"
	"github.com/dogker/dogker/reconciler/volumejob"
)

// disk is a volume of an engine: what has made it, and what was written to it, one word for each task.
type disk struct {
	maker string
	words []string
}

// disks are the volumes of all engines, and the archives of snapshots. What tasks write is never to be lost.
type disks struct {
	w *world

	mu       sync.Mutex
	has      map[volumejob.Place]*disk
	archives map[string][]string
	// written are the words of all tasks, with the volume that each was written to, by what engines call it.
	written map[string]string
	// led is the process that leads, and two is true once another had begun while it had not ended.
	led *converge.Process
	two bool
	// told is called when a node has a volume that it had not.
	told func()
	// frozen are volumes whose containers stand still.
	frozen map[string]bool
}

// lead notes that a process leads now, and is to be told of volumes.
func (d *disks) lead(p *converge.Process, told func()) {
	d.mu.Lock()
	defer d.mu.Unlock()

	d.told = told
	d.two = d.two || d.led != nil && d.led.Context().Err() == nil
	d.led = p
}

func (d *disks) leads(p *converge.Process) bool {
	d.mu.Lock()
	defer d.mu.Unlock()

	return d.led == p
}

// stray is true for what a process may have left lying that stood still, has lost its lease, and has made one more call before it
// has noticed: a volume with its label, which nobody mounts, and which is in the way of nothing but another operation there.
func (d *disks) stray(v *disk) bool {
	return d.two && (strings.HasPrefix(v.maker, "move/") || strings.HasPrefix(v.maker, "restore/"))
}

func newDisks(w *world) *disks {
	return &disks{w: w, has: map[volumejob.Place]*disk{}, archives: map[string][]string{}, written: map[string]string{}, frozen: map[string]bool{}}
}

// look lets every container that runs write, once, to what it mounts. Engines make what is not there.
func (d *disks) look() {
	tasks, err := d.w.admin.TaskList(context.Background(), dswarm.TaskListOptions{})
	if err != nil {
		return
	}
	alive := map[string]bool{}
	for _, c := range d.w.cluster.Containers() {
		alive[c.TaskID] = true
	}

	if told := d.write(tasks, alive); told != nil {
		told()
	}
}

// write lets tasks that are alive write. What it returns is to be called when there is a volume more.
func (d *disks) write(tasks []dswarm.Task, alive map[string]bool) (told func()) {
	d.mu.Lock()
	defer d.mu.Unlock()

	for i := range tasks {
		if !alive[tasks[i].ID] {
			continue
		}
		for _, m := range tasks[i].Spec.ContainerSpec.Mounts {
			at := volumejob.Place{Node: tasks[i].NodeID, Name: m.Source}
			if m.Source == "" {
				continue
			}
			if d.has[at] == nil {
				d.has[at], told = &disk{}, d.told
			}
			if _, wrote := d.written[tasks[i].ID+m.Source]; !wrote && !m.ReadOnly {
				d.written[tasks[i].ID+m.Source] = m.Source
				d.has[at].words = append(d.has[at].words, tasks[i].ID)
			}
		}
	}

	return told
}

// mounted tells whether a container on the node has it mounted.
func (d *disks) mounted(at volumejob.Place) bool {
	tasks, err := d.w.admin.TaskList(context.Background(), dswarm.TaskListOptions{})
	must(err)

	return slices.ContainsFunc(d.w.cluster.Containers(), func(c fakeContainer) bool {
		return slices.ContainsFunc(tasks, func(t dswarm.Task) bool {
			if t.ID != c.TaskID || t.NodeID != at.Node {
				return false
			}
			for _, m := range t.Spec.ContainerSpec.Mounts {
				if m.Source == at.Name {
					return true
				}
			}

			return false
		})
	})
}

// read is a copy of what is in a volume; false when there is none.
func (d *disks) read(at volumejob.Place) (disk, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()

	found := d.has[at]
	if found == nil {
		return disk{}, false
	}

	return disk{found.maker, slices.Clone(found.words)}, true
}

// make makes a volume; false when there is one.
func (d *disks) make(at volumejob.Place, maker string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()

	if d.has[at] != nil {
		return false
	}
	d.has[at] = &disk{maker: maker}

	return true
}

// fill puts words into what a maker has made; false when that is gone.
func (d *disks) fill(at volumejob.Place, maker string, words []string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()

	if d.has[at] == nil || d.has[at].maker != maker {
		return false
	}
	d.has[at].words = slices.Clone(words)

	return true
}

func (d *disks) remove(at volumejob.Place) {
	d.mu.Lock()
	defer d.mu.Unlock()

	delete(d.has, at)
}

// freeze lets what mounts a volume stand still, or go on. Agents let go by themselves after a while.
func (d *disks) freeze(name string, still bool) {
	d.mu.Lock()
	defer d.mu.Unlock()

	d.frozen[name] = still
	if still {
		time.AfterFunc(letsGo, func() { d.freeze(name, false) })
	}
}

// store keeps an archive, and erase removes one.
func (d *disks) store(name string, words []string) {
	d.mu.Lock()
	defer d.mu.Unlock()

	d.archives[name] = slices.Clone(words)
}

func (d *disks) erase(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()

	delete(d.archives, name)
}

// archive is what is in one, and stands is true while something stands still.
func (d *disks) archive(name string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()

	return slices.Clone(d.archives[name])
}

func (d *disks) stands() bool {
	d.mu.Lock()
	defer d.mu.Unlock()

	for _, still := range d.frozen {
		if still {
			return true
		}
	}

	return false
}

// named are the nodes that have a volume of that name, sorted.
func (d *disks) named(name string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()

	var nodes []string
	for at := range d.has {
		if at.Name == name {
			nodes = append(nodes, at.Node)
		}
	}
	slices.Sort(nodes)

	return nodes
}

// whole is why not everything that tasks have written to the volume of that name is on the node, and nowhere else; nil when it is.
func (d *disks) whole(at volumejob.Place) error {
	d.look()
	found, there := d.read(at)
	if !there {
		return fmt.Errorf("%s is not where it lives", at.Name)
	}

	d.mu.Lock()
	defer d.mu.Unlock()

	for place, other := range d.has {
		if place.Name == at.Name && place != at && !d.stray(other) {
			return fmt.Errorf("%s is on another node as well, made by %q", at.Name, other.maker)
		}
	}

	for word, source := range d.written {
		if source == at.Name && !slices.Contains(found.words, strings.TrimSuffix(word, source)) {
			return fmt.Errorf("what a task has written to %s is lost", at.Name)
		}
	}

	return nil
}

// lines say how many volumes there are, by name.
func (d *disks) lines() []string {
	d.mu.Lock()
	defer d.mu.Unlock()

	count := map[string]int{}
	for at := range d.has {
		count[at.Name]++
	}

	var out []string
	for _, name := range slices.Sorted(maps.Keys(count)) {
		if d.two {
			count[name] = 1 // Whole says whether the others may be there.
		}
		out = append(out, fmt.Sprintf("volume %s on %d nodes", name, count[name]))
	}

	return append(out, fmt.Sprintf("archives %d", len(d.archives)))
}

func digestOf(words []string) string { return "d:" + strings.Join(words, ",") }
