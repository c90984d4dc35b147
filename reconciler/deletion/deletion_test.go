package deletion

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/dogker/dogker/api/dogker/v1alpha1"
)

func TestProtected(t *testing.T) {
	const word = v1alpha1.AnnotationDeleteData

	cases := map[string]struct {
		reason     string
		policy     v1alpha1.DeletionPolicy
		word       string
		containers int
		data       []string
		// says is what the refusal tells to do; empty when the deletion goes on.
		says string
	}{
		"Empty":              {reason: "There is nothing to protect.", policy: v1alpha1.DeletionProtect},
		"Containers":         {reason: "What runs is not taken down by a slip.", policy: v1alpha1.DeletionProtect, containers: 1, says: "set it to Delete"},
		"OldObject":          {reason: "An object from before there was a default is protected.", containers: 1, says: "set it to Delete"},
		"Data":               {reason: "Nor is data.", policy: v1alpha1.DeletionProtect, data: []string{"Secret db"}, says: "Secret db"},
		"WordAlone":          {reason: "The second word without the first is none.", policy: v1alpha1.DeletionProtect, word: "acme", data: []string{"Secret db"}, says: "set it to Delete"},
		"DeleteContainers":   {reason: "One word is enough for containers.", policy: v1alpha1.DeletionDelete, containers: 3},
		"DeleteData":         {reason: "Data needs two.", policy: v1alpha1.DeletionDelete, data: []string{"Secret db"}, says: word + "=acme"},
		"BothWords":          {reason: "With both, all goes.", policy: v1alpha1.DeletionDelete, word: "acme", containers: 3, data: []string{"Secret db"}},
		"WordForSomebody":    {reason: "The word for another tenant is none for this one.", policy: v1alpha1.DeletionDelete, word: "globex", data: []string{"Secret db"}, says: word},
		"TooManyToBeNamed":   {reason: "A refusal is no inventory.", policy: v1alpha1.DeletionDelete, data: []string{"a", "b", "c", "d"}, says: "a, b, c and more"},
		"WordWithNothingToo": {reason: "A word too many does no harm.", policy: v1alpha1.DeletionDelete, word: "acme"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			who := &v1alpha1.Tenant{ObjectMeta: metav1.ObjectMeta{Name: "acme"}}
			who.Spec.DeletionPolicy = tc.policy

			if tc.word != "" {
				who.Annotations = map[string]string{word: tc.word}
			}

			got := Protected(who, tc.containers, tc.data)
			if (got == "") != (tc.says == "") || !strings.Contains(got, tc.says) {
				t.Errorf("%s\ngot %q, want something with %q", tc.reason, got, tc.says)
			}
		})
	}
}

func TestData(t *testing.T) {
	owned := metav1.ObjectMeta{Name: "owned", OwnerReferences: []metav1.OwnerReference{{Controller: new(true)}}}
	named := func(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }

	got := Data([]corev1.Secret{
		{ObjectMeta: named("db")},
		{ObjectMeta: named("web-1-env"), Type: v1alpha1.SecretTypeRevisionEnv},
		{ObjectMeta: named("token"), Type: corev1.SecretTypeServiceAccountToken},
		{ObjectMeta: owned},
	}, []corev1.ConfigMap{{ObjectMeta: named("settings")}, {ObjectMeta: named("kube-root-ca.crt")}, {ObjectMeta: owned}}, []string{"uploads"}, []string{"monday"})

	if diff := cmp.Diff([]string{"ConfigMap settings", "Secret db", "Volume uploads", "VolumeSnapshot monday"}, got); diff != "" {
		t.Errorf("only what people made is data (-want +got):\n%s", diff)
	}
}
