package remedy

import (
	"fmt"

	"github.com/cniguard/cniguard/internal/plain"
)

// What the three programs have in common. The version and the values stand in the stack's configuration: a step is one command, each stack of a
// program goes at its own pace, and values that may be secret are kept encrypted.
const (
	pulumiName    = "vpc-cni"
	pulumiType    = "aws:eks/addon:Addon"
	pulumiVersion = "vpcCniVersion"
	pulumiValues  = "vpcCniValues"
)

// pulumi changes the version of the resource aws.eks.Addon.
func pulumi(f Facts) (Fix, error) {
	notes := []string{
		"Take the file of your language, and leave the other two: all say the same.",
		"The stack is the one that is selected, and its AWS provider must be that of account " + f.Cluster.Account + " and region " + f.Cluster.Region + ".",
		"Where your program has this add-on already, keep your resource, and see that it says what the file says. Where its version is no" +
			" configuration, change it there, in place of pulumi config set.",
	}
	if f.Managed {
		notes = append(notes,
			"pulumi import takes the add-on into the stack where the stack has it not. It changes nothing in the cluster. The resource option import cannot"+
				" take it with this program: it wants arguments that EKS does not tell, resolveConflictsOnUpdate and preserve, to be as they are there.",
			"Tags and pod identity associations that the add-on has and your program has not would be removed: add them where the preview says so.")
	}
	if f.Configured {
		notes = append(notes, "pulumi import keeps the configuration values in the state as they are. The first pulumi up encrypts them,"+
			" and earlier states still hold them.")
	}
	fix := Fix{
		Method: Pulumi, Notes: f.notes(notes...),
		Checked: "The programs are run with Pulumi's own SDKs: those in Go and TypeScript are compiled against the AWS provider's, that in YAML is run by Pulumi's" +
			" interpreter. What they ask for is done to a simulated cluster, and the commands are read by a shell.",
		Unchecked: "No pulumi was run: the provider, without which it shows no preview, cannot be had where the checks run. The flags of the pulumi commands are those of its" +
			" documentation, and that the preview shows nothing else is for a person to see.",
	}
	var err error
	fix.Steps, err = f.declared(f.pulumiStep)
	return fix, err
}

func (f Facts) pulumiStep(s *Step, i int) {
	if i == 0 {
		f.pulumiStart(s)
	}
	s.Change = Part{
		Say: []string{"Go on only where the preview shows this, and nothing else: " + f.previewed(*s, i) + ". pulumi up shows it again, and asks."},
		Run: pulumiTo(s.To),
	}
	s.Wait = Part{Say: []string{"pulumi up waits itself, 20 minutes at most, and ends with an error where EKS says that it did not work."}}
	if f.takes(i) {
		s.Back = f.released(*s, "pulumi stack --show-urns")
		s.Back.Say = append([]string{"Take the resource out of your program. The first command shows its URN, which ends with " + pulumiName + ":" +
			" give that to pulumi state delete before you go on."}, s.Back.Say...)
		return
	}
	s.Back = Part{
		Say: []string{fmt.Sprintf("The preview must show one update: addonVersion from %s to %s.", s.To, s.From)},
		Run: pulumiTo(s.From),
	}
}

// pulumiStart adds what the first step needs before: the program, its configuration, and the add-on in the state.
func (f Facts) pulumiStart(s *Step) {
	if f.hasValues() {
		s.Before.Run = append(s.Before.Run, plain.Command("pulumi", "config", "set", "--secret", pulumiValues)+" < "+valuesFile)
		s.Before.Say = append(s.Before.Say, "Then the configuration values go into the stack's configuration, encrypted.")
	}
	s.Before.Files = append(s.Before.Files, File{"vpc_cni.go", f.pulumiGo()}, File{"vpc-cni.ts", f.pulumiTypeScript()}, File{"vpc-cni.yaml", f.pulumiYAML()})
	if !f.Managed {
		return
	}
	id := f.Cluster.Name + ":" + pulumiName
	s.Before.Say = append(s.Before.Say, "The last command shows the add-on in the stack, or takes it in.")
	s.Before.Run = append(s.Before.Run, plain.Command("pulumi", "stack", "export")+" | "+plain.Command("grep", "-F", `"id": `+jsonQuoted(id))+" ||\n    "+
		plain.Command("pulumi", "import", pulumiType, pulumiName, id, "--protect=false"))
}

// pulumiTo are the commands that lead the resource, and no other of the stack, to a version. It may be part of a component, whose type then stands
// before its own in the URN (Pulumi documentation, "Resource names").
func pulumiTo(version string) []string {
	target := "**" + pulumiType + "::" + pulumiName
	return []string{
		plain.Command("pulumi", "config", "set", pulumiVersion, version),
		plain.Command("pulumi", "preview", "--diff", "--target", target),
		plain.Command("pulumi", "up", "--diff", "--target", target),
	}
}

// previewed is what the preview of a step must show.
func (f Facts) previewed(s Step, i int) string {
	switch {
	case f.takes(i):
		return "it creates the one resource " + pulumiName
	case i == 0:
		return fmt.Sprintf("it updates the one resource %s, addonVersion from %s to %s, and may set resolveConflictsOnUpdate and preserve", pulumiName, s.From, s.To)
	}
	return fmt.Sprintf("it updates the one resource %s, addonVersion from %s to %s", pulumiName, s.From, s.To)
}
