package workload

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
	"github.com/dogker/dogker/reconciler/outcome"
	"github.com/dogker/dogker/reconciler/swarmobj"
)

// counter is a registry that has one answer, and an engine that holds one image.
type counter struct {
	Registry
	Swarm

	answer error
	held   string // by digest
	asked  []string
}

func (c *counter) Resolve(_ context.Context, ref string, _ [][]byte) (swarmobj.ResolvedImage, error) {
	c.asked = append(c.asked, "resolve")
	if pinned(ref) {
		return swarmobj.ResolvedImage{Reference: ref}, c.answer
	}

	return swarmobj.ResolvedImage{Reference: ref + "@sha256:" + digest}, c.answer
}

func (c *counter) Grant(_ context.Context, ref string, _ [][]byte) (swarmobj.ResolvedImage, error) {
	c.asked = append(c.asked, "grant")

	return swarmobj.ResolvedImage{Reference: ref}, c.answer
}

func (c *counter) Auths(string, [][]byte) ([]string, error) { return nil, nil }

func (c *counter) LocalImage(context.Context, string) (swarmobj.LocalImage, error) {
	if c.held == "" {
		return swarmobj.LocalImage{}, swarmobj.ErrNotFound
	}

	return swarmobj.LocalImage{ID: "sha256:" + digest, Digests: []string{c.held}}, nil
}

// TestImageOfTheConfined: a confined container runs only what a registry has given to its namespace, and an outage takes
// nothing back that was given.
func TestImageOfTheConfined(t *testing.T) {
	const tag, pinnedTag = "registry.example/shop:1", "registry.example/shop:1@sha256:" + digest

	held := "registry.example/shop@sha256:" + digest
	earlier := metav1.NewTime(epoch.Add(-time.Hour))
	recorded := func(container, image string, since *metav1.Time) v1alpha1.ContainerRevision {
		r := revision(1, "old", v1alpha1.OutcomeComplete)
		r.Namespace, r.Name = "acme", container+"-1"
		declared, _, _ := strings.Cut(image, "@")
		r.Spec.Template.Image, r.Spec.ResolvedImage = v1alpha1.Image(declared), image
		if since != nil {
			r.Spec.ImageProof = &v1alpha1.ImageProof{GrantedTime: since}
		}

		return r
	}
	away, refuses := swarmobj.ErrUnavailable, swarmobj.ErrRefused

	cases := map[string]struct {
		reason string
		free   bool // the container is not confined
		image  v1alpha1.Image
		policy v1alpha1.PullPolicy
		answer error
		held   string
		own    *v1alpha1.ContainerRevision // newest revision of the container
		others []v1alpha1.ContainerRevision
		back   bool // the revision on record is to run again
		runs   bool // it runs already

		want  string // image; nothing when it waits
		asked []string
		since time.Time // of the grant
	}{
		"Tag":               {reason: "What the registry resolves for the namespace it gives to it.", image: tag, want: pinnedTag, asked: []string{"resolve"}, since: epoch},
		"Digest":            {reason: "An engine would not ask for what it holds by digest.", image: pinnedTag, want: pinnedTag, asked: []string{"grant"}, since: epoch},
		"OthersDigest":      {reason: "A private image of somebody else, which a node holds.", image: pinnedTag, answer: refuses, held: held, asked: []string{"grant"}},
		"DigestUnconfined":  {reason: "Outside tenants a digest is resolved already.", free: true, image: pinnedTag, want: pinnedTag, asked: []string{"resolve"}},
		"AwayUnconfined":    {reason: "A laptop runs what it holds.", free: true, image: tag, answer: away, held: held, want: pinnedTag, asked: []string{"resolve"}},
		"AwayNeverGiven":    {reason: "That a node holds it proves nothing about this tenant.", image: tag, answer: away, held: held, asked: []string{"resolve"}},
		"AwayGivenBefore":   {reason: "What was given to another container of the namespace stays given.", image: tag, answer: away, held: held, others: []v1alpha1.ContainerRevision{recorded("api", pinnedTag, &earlier)}, want: pinnedTag, asked: []string{"resolve"}, since: earlier.Time},
		"AwayNotOnRecord":   {reason: "A revision from before anybody asked proves nothing.", image: tag, answer: away, held: held, others: []v1alpha1.ContainerRevision{recorded("api", pinnedTag, nil)}, asked: []string{"resolve"}},
		"AwayOtherImage":    {reason: "What was given was another repository's, whatever its digest.", image: tag, answer: away, held: held, others: []v1alpha1.ContainerRevision{recorded("api", "registry.example/api:1@sha256:"+digest, &earlier)}, asked: []string{"resolve"}},
		"AwayOtherDigest":   {reason: "What was given was another repository's, whatever its digest.", image: pinnedTag, answer: away, held: held, others: []v1alpha1.ContainerRevision{recorded("api", "registry.example/api:1@sha256:"+digest, &earlier)}, asked: []string{"grant"}},
		"AwayDigest":        {reason: "A digest needs no copy to be the same image.", image: pinnedTag, answer: away, others: []v1alpha1.ContainerRevision{recorded("api", pinnedTag, &earlier)}, want: pinnedTag, asked: []string{"grant"}, since: earlier.Time},
		"AwayAlways":        {reason: "Always means that the registry must answer.", image: tag, policy: v1alpha1.PullAlways, answer: away, held: held, others: []v1alpha1.ContainerRevision{recorded("api", pinnedTag, &earlier)}, asked: []string{"resolve"}},
		"SameImageAgain":    {reason: "Another variable is no other image.", image: tag, own: new(recorded("web", pinnedTag, &earlier)), answer: away, want: pinnedTag, since: earlier.Time},
		"SameImageNotGiven": {reason: "It ran before anybody asked; its next revision is asked for.", image: tag, own: new(recorded("web", pinnedTag, nil)), want: pinnedTag, asked: []string{"resolve"}, since: epoch},
		"Back":              {reason: "A rollback needs no registry.", image: tag, own: new(recorded("web", pinnedTag, &earlier)), back: true, answer: away, want: pinnedTag, since: earlier.Time},
		"BackNotGiven":      {reason: "A revision from before anybody asked is asked for before it runs again.", image: tag, own: new(recorded("web", pinnedTag, nil)), back: true, answer: refuses, asked: []string{"grant"}},
		"BackNotPinned":     {reason: "An image without a registry is nobody's.", image: tag, own: new(recorded("web", "sha256:"+digest, nil)), back: true},
		"Runs":              {reason: "What runs is left alone.", image: tag, own: new(recorded("web", pinnedTag, nil)), back: true, runs: true, answer: refuses, want: pinnedTag},
	}

	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}

	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var objects []client.Object
			for i := range tc.others {
				objects = append(objects, &tc.others[i])
			}

			shop := &counter{answer: tc.answer, held: tc.held}
			c := &Controller{client: fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build(), registry: shop, swarm: shop}
			s := scene(t, func(s *situation) {
				s.confined, s.world.Service, s.history, s.image, s.target = !tc.free, nil, nil, "", target{number: 2, fresh: true}
				s.template.Image, s.tc.Spec.ImagePullPolicy = tc.image, tc.policy
			})
			if tc.own != nil {
				s.history = history{*tc.own}
			}
			if tc.back {
				s.target = target{number: 1, record: tc.own}
			}
			if tc.runs {
				s.world.Service = &swarm.Service{}
				s.world.Service.Spec.Labels = map[string]string{v1alpha1.SwarmLabelRevision: "1"}
			}

			err := c.chooseImage(t.Context(), s)
			var wait *outcome.Wait
			switch {
			case tc.want == "" && (!errors.As(err, &wait) || wait.Reason != v1alpha1.ReasonImageUnavailable):
				t.Errorf("%s\ngot %q and %v, want to wait for the image", tc.reason, s.image, err)
			case tc.want != "" && (err != nil || s.image != tc.want):
				t.Errorf("%s\ngot %q and %v, want %q", tc.reason, s.image, err, tc.want)
			case !slices.Equal(shop.asked, tc.asked):
				t.Errorf("%s\nthe registry was asked to %v, want %v", tc.reason, shop.asked, tc.asked)
			case wait != nil && strings.Contains(wait.Message, "holds"):
				t.Errorf("the message tells what nodes hold: %s", wait.Message)
			}

			var since time.Time
			if s.proof != nil && err == nil {
				since = s.proof.GrantedTime.Time
			}
			if !since.Equal(tc.since) {
				t.Errorf("%s\ngranted at %v, want %v", tc.reason, since, tc.since)
			}
		})
	}
}
