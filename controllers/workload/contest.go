package workload

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
)

// A repair that is undone again and again is a fight with somebody: an operator's script, another controller. Dogker
// goes on putting back what is declared, but at a pace that hurts nobody, and says so.
const (
	contestWindow = time.Minute
	contestLimit  = 6
	contestPace   = 5 * time.Second
)

// contest remembers when the drift of a container was repaired. Losing it loses nothing but patience.
type contest struct {
	mu      sync.Mutex
	repairs map[types.NamespacedName][]time.Time
}

// rein holds the repair of a contested container back until its next turn.
func (c *contest) rein(s *situation, steps []step) ([]step, error) {
	key := client.ObjectKeyFromObject(s.tc)

	c.mu.Lock()
	defer c.mu.Unlock()

	recent := c.recent(key, s.now)
	if s.contested = len(recent) >= contestLimit; s.contested {
		s.calmAfter = contestWindow - s.now.Sub(recent[len(recent)-contestLimit])
	}

	if !repairs(steps) {
		return steps, nil
	}

	if s.contested {
		if wait := contestPace - s.now.Sub(recent[len(recent)-1]); wait > 0 {
			return nil, &outcome.Wait{
				Reason: v1alpha1.ReasonContested, Message: contestText, After: wait,
			}
		}
	}

	c.note(key, s.now)

	return steps, nil
}

// note remembers a repair. The caller holds the lock.
func (c *contest) note(key types.NamespacedName, at time.Time) {
	if c.repairs == nil {
		c.repairs = map[types.NamespacedName][]time.Time{}
	}

	c.repairs[key] = append(c.repairs[key], at)
}

const contestText = "Somebody keeps changing the service in Swarm, and Dogker keeps putting it back; find out who, with docker events"

// recent are the repairs within the window; it forgets the older ones. The caller holds the lock.
func (c *contest) recent(key types.NamespacedName, now time.Time) []time.Time {
	times := c.repairs[key]
	for len(times) > 0 && now.Sub(times[0]) >= contestWindow {
		times = times[1:]
	}

	if len(times) == 0 {
		delete(c.repairs, key)
	} else {
		c.repairs[key] = times
	}

	return times
}

func (c *contest) forget(key types.NamespacedName) {
	c.mu.Lock()
	defer c.mu.Unlock()

	delete(c.repairs, key)
}

// repairs is true when a step puts back what somebody changed.
func repairs(steps []step) bool {
	for _, st := range steps {
		if u, ok := st.(updateService); ok && u.why == whyDrift {
			return true
		}
	}

	return false
}
