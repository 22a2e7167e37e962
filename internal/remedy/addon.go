package remedy

import (
	"fmt"
	"slices"

	"github.com/cniguard/cniguard/internal/cni"
)

// addon updates the managed add-on with the AWS CLI. An aws-node that EKS does not manage becomes one with the first step.
func addon(f Facts) (Fix, error) {
	fix := Fix{
		Method: Addon, Notes: f.gapNotes(), Steps: f.way(cni.Version.String),
		Checked:   "The AWS CLI, version 1, runs these commands in tests against a simulated EKS, over the protocol of EKS: it must come to be what they say.",
		Unchecked: "Version 2 of the AWS CLI, which no package registry has, was not run.",
	}
	steps, managed := fix.Steps, f
	if !f.Managed && f.Node == nil {
		return Fix{}, fmt.Errorf("the aws-node of %s was not read, so what EKS would reset is not known", f.Cluster.Name)
	}
	if !f.Managed {
		values, notes := f.migration()
		fix.Notes = slices.Concat(notes, f.gapNotes())
		fix.Checked += " kubectl runs its own against the API server of Kubernetes, where nobody is EKS."
		fix.Unchecked += " How EKS resolves conflicts is as documented, not as tried."
		managed.Managed, managed.Role, managed.Configured = true, f.serviceRole(), values != ""
		steps[0] = managed.takeOver(steps[0], values)
		steps = steps[1:]
	}
	fix.Notes = append(fix.Notes, managed.roleNote(), "Run the commands of a step in one shell and one folder: the wait needs what the change leaves in $update.")
	for i, s := range steps {
		steps[i] = managed.updateAddon(s)
	}
	return fix, nil
}

func (f Facts) roleNote() string {
	if f.Role == "" {
		return "The add-on has no IAM role of its own, so none is sent. Should describe-addon show one, send it with --service-account-role-arn:" +
			" EKS drops a role that is not sent."
	}
	return "The role is sent with each change: EKS drops one that is not sent. Pod identity associations that are not sent stay."
}

// updateAddon is a step of the managed add-on.
func (f Facts) updateAddon(s Step) Step {
	s.Before = f.ready(s)
	s.Change.Run = []string{f.update(s.To)}
	s.Wait = Part{
		Say: []string{"It ends with an error where the update failed, was cancelled, or is still open after half an hour." +
			" `aws eks wait addon-active` would not tell."},
		Run: []string{f.updated()},
	}
	s.After = f.after(s)
	s.Back = f.backward(s)
	return s
}

func (f Facts) backward(s Step) Part {
	if why := f.noWayBack(s); why != "" {
		return Part{Say: []string{"There is no way back: " + why + "."}}
	}
	return Part{
		Say: []string{"The same to " + s.From + ", which was there before. An open update has to end first."},
		Run: []string{f.update(s.From), f.updated()},
	}
}

// sentAgain are the words with what an update drops or may drop.
func (f Facts) sentAgain() (words []string) {
	if f.Role != "" {
		words = append(words, "--service-account-role-arn", f.Role)
	}
	if f.Configured {
		words = append(words, "--configuration-values", "file://"+valuesFile)
	}
	return words
}

// update starts an update and keeps its id in $update.
func (f Facts) update(to string) string {
	words := append([]string{"--addon-version", to, "--resolve-conflicts", "PRESERVE"}, f.sentAgain()...)
	return "update=$(" + f.eks("update-addon", append(words, "--query", "update.id", "--output", "text")...) + ")"
}

// updated waits for the update itself: the add-on may be ACTIVE before it starts, and the CLI's waiter takes UPDATE_FAILED for neither (facts of
// EKS: AddonActive waiter of the SDKs, eksctl #7269).
func (f Facts) updated() string {
	return waiting{
		look: f.eks("describe-update", "--output", "text") + ` --update-id "${update:?}"`,
		what: "update.status", done: "Successful", failed: "Failed | Cancelled", errors: "update.errors[].[errorCode, errorMessage]",
	}.String()
}

// waiting is a wait of half an hour at most that asks every ten seconds.
type waiting struct{ look, what, done, failed, errors string }

// String is a command in parentheses, since exit would end the shell that it is pasted into. It runs in zsh as well, where status is read-only.
func (w waiting) String() string {
	return `(
show() {
    ` + w.look + ` --query "$1"
}
tries=0
while [ "$tries" -lt 180 ]; do
    state=$(show ` + w.what + `) || exit
    case $state in
    ` + w.done + `) exit 0 ;;
    ` + w.failed + `)
        echo "It is $state:" >&2
        show '` + w.errors + `' >&2
        exit 1 ;;
    esac
    sleep 10
    tries=$((tries + 1))
done
echo "It is still $state after half an hour." >&2
exit 1
)`
}
