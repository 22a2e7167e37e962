package remedy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/plain"
)

// The files of CloudFormation.
const (
	templateFile   = "vpc-cni-stack.yaml"
	parametersFile = "vpc-cni-parameters.json"
	resourcesFile  = "vpc-cni-resources.json"
)

// cloudFormation brings the add-on into a stack of its own, where none has it, and updates the stack. Both go through a change set, which is read before
// it is executed. A stack that is known to have it is its owner's to change: nobody else has its source.
func cloudFormation(f Facts) (Fix, error) {
	if strings.Contains(f.Cluster.Name+f.serviceRole()+f.translated(), "{{resolve:") {
		return Fix{}, errors.New("CloudFormation would take {{resolve: in what was read of the cluster for a reference," +
			" and there is no other way to write it; use --with addon")
	}
	if f.Managed && Suggest(f, f.Tool) == CloudFormation {
		return f.ownersStack()
	}
	notes := []string{
		"Where a stack of yours has the add-on already, never send the template below to it: all else in that stack would be deleted." +
			" Change AddonVersion alone in its own template, and deploy it as you always do, with what stands before and after here.",
		"Tags and pod identity associations of the add-on are not in the template: add those that it has, before you have it imported.",
	}
	if f.Managed && f.Configured {
		notes = append(notes, "The configuration values are a parameter with NoEcho, as they may be secret."+
			" A parameter has room for 4,096 bytes; longer values must stand in the template.")
	}
	fix := Fix{
		Method: CloudFormation, Notes: f.notes(notes...),
		Checked: "The templates are read by cfn-lint, the TypeScript by esbuild and run by Node, the commands by a shell," +
			" and what they say is done to a simulated cluster.",
		Unchecked: "No stack was made: there is no CloudFormation where the checks run." +
			" The types of the TypeScript were not held against aws-cdk-lib, and the CDK's commands were not run.",
	}
	steps, err := f.declared(f.stackStep)
	if f.Managed {
		steps = append([]Step{f.importStep()}, steps...)
	}
	fix.Steps = steps
	return fix, err
}

// ownersStack changes the add-on's version in the stack that has it.
func (f Facts) ownersStack() (Fix, error) {
	steps, err := f.declared(func(s *Step, _ int) {
		s.Before.Say = append(s.Before.Say, "The last command names the stack, and the add-on in its template."+
			" Where it fails, no stack of this account and region has the add-on: use --with addon then.")
		s.Before.Run = append(s.Before.Run, f.stackOf("StackResources[0].[StackName, LogicalResourceId]"))
		s.Change, s.Back = f.deployed(s.To), join(f.deployed(s.From), f.settled(s.From))
		s.Wait = f.settled(s.To)
	})
	return Fix{
		Method: CloudFormation, Steps: steps,
		Notes: f.notes("Whatever deploys that stack is to make the change, from its own source: cniguard has no template for it," +
			" and one that is made of the add-on alone would delete all else in the stack."),
		Checked:   "The commands are read by a shell.",
		Unchecked: "No stack was changed: there is no CloudFormation where the checks run.",
	}, err
}

// deployed has the stack's owner set a version.
func (f Facts) deployed(version string) Part {
	return Part{Say: []string{
		"In the stack's source set the add-on's AddonVersion (addonVersion with the CDK) to " + version + ", and change nothing else." +
			" ResolveConflicts should be PRESERVE: else what others changed in aws-node ends the update, or is lost.",
		"Read the change set, or what " + plain.Command("npx", "cdk", "diff") + " shows: the add-on is modified, without a replacement, and nothing else." +
			" Then deploy it as you always do.",
	}}
}

// stackOf asks which stack has the add-on, by which name. It fails where none has it.
func (f Facts) stackOf(query string) string {
	return f.cloudformation("describe-stack-resources", "--physical-resource-id", f.Cluster.Name+"|vpc-cni", "--query", query)
}

// importStep brings the add-on into a stack as it is. AWS::EKS::Addon is known by the names of its cluster and its own, and an import needs a
// DeletionPolicy (CloudFormation user guide, "Resource type support" and "Import AWS resources into a stack").
func (f Facts) importStep() Step {
	version := f.Version.String()
	s := Step{From: version, To: version}
	s.Before, s.After = f.ready(s), f.unchanged(f.after(s))
	s.Notes = []string{"This step changes nothing of the add-on." +
		" Leave it out where a stack has the add-on: describe-stack-resources names that stack, and fails where there is none."}
	s.Before.Run = append(s.Before.Run, f.stackOf("StackResources[0].StackName"))
	words := []string{"--resources-to-import", "file://" + resourcesFile}
	if f.Configured {
		s.Before.Run = append(s.Before.Run, save(parametersFile, f.eks("describe-addon", "--output", "json", "--query",
			"[{ParameterKey: 'ConfigurationValues', ParameterValue: addon.configurationValues}]")))
		words = append(words, "--parameters", "file://"+parametersFile)
	}
	c := f.changeSet("import", version, 0, words...)
	c.Files = append(c.Files, f.resources(), f.cdk(version, "PRESERVE"))
	c.Say = []string{toRead, "It must show one import of VpcCni, and nothing else.", f.cdkWay("import")}
	s.Before = join(s.Before, c)
	s.Change, s.Wait = f.execute("import", version), f.done("stack-import-complete")
	s.Back = Part{
		Say: []string{"Its DeletionPolicy has the add-on stay as it is when the stack goes."},
		Run: f.dropStack(),
	}
	return s
}

// resources names what is imported.
func (f Facts) resources() File {
	const text = `[{
  "ResourceType": "AWS::EKS::Addon", "LogicalResourceId": "VpcCni",
  "ResourceIdentifier": {"ClusterName": %s, "AddonName": "vpc-cni"}
}]
`
	return File{resourcesFile, fmt.Sprintf(text, jsonQuoted(f.Cluster.Name))}
}

func (f Facts) stackStep(s *Step, i int) {
	if f.takes(i) {
		c := f.changeSet("create", s.To, i)
		c.Files = append(c.Files, f.cdk(s.To, "OVERWRITE"))
		c.Say = []string{toRead, "It must show that VpcCni is added, and nothing else.", f.cdkWay("deploy")}
		s.Before = join(s.Before, c)
		s.Change, s.Wait, s.Back = join(s.Change, f.execute("create", s.To)), f.done("stack-create-complete"), f.released(*s, f.dropStack()...)
		return
	}
	c := f.changeSet("update", s.To, i, f.sameValues()...)
	c.Say = []string{toRead, "It must show that VpcCni is modified, without a replacement, and nothing else."}
	s.Before = join(s.Before, c)
	s.Change, s.Wait = f.execute("update", s.To), join(f.done("stack-update-complete"), f.settled(s.To))
	s.Back = join(f.changeSet("update", s.From, 1, f.sameValues()...), join(f.execute("update", s.From), f.done("stack-update-complete")))
	s.Back.Say = []string{"Make the change set of the version before, and execute it once you have read it."}
}

// sameValues has an update keep the configuration values, which CloudFormation has since the import.
func (f Facts) sameValues() []string {
	if f.Managed && f.Configured {
		return []string{"--parameters", "ParameterKey=ConfigurationValues,UsePreviousValue=true"}
	}
	return nil
}

// toRead comes before the files of a change set.
const toRead = "Then write the files below, make the change set, and read it. Nothing is changed yet."

// changeSet makes a change set of the template at a version, to import, create or update the stack, and shows what it would do.
func (f Facts) changeSet(deed, version string, i int, words ...string) Part {
	set := []string{"--stack-name", f.stack(), "--change-set-name", changeSetName(deed, version)}
	create := append(slices.Clone(set), "--change-set-type", strings.ToUpper(deed), "--template-body", "file://"+templateFile)
	return Part{
		Files: []File{{templateFile, f.template(version, f.conflicts(i))}},
		Run: []string{
			f.cloudformation("create-change-set", append(create, words...)...),
			f.cloudformation("wait", append([]string{"change-set-create-complete"}, set...)...),
			f.cloudformation("describe-change-set", append(set, "--query",
				"Changes[].ResourceChange.{action: Action, resource: LogicalResourceId, replacement: Replacement, changed: Details[].Target.Name}")...),
		},
	}
}

func (f Facts) execute(deed, version string) Part {
	return Part{
		Say: []string{"Execute the change set that you read."},
		Run: []string{f.cloudformation("execute-change-set", "--stack-name", f.stack(), "--change-set-name", changeSetName(deed, version))},
	}
}

func (f Facts) done(state string) Part {
	return Part{
		Say: []string{"It ends with an error where CloudFormation rolls the stack back."},
		Run: []string{f.cloudformation("wait", state, "--stack-name", f.stack())},
	}
}

func (f Facts) dropStack() []string {
	return []string{f.cloudformation("delete-stack", "--stack-name", f.stack()), f.cloudformation("wait", "stack-delete-complete", "--stack-name", f.stack())}
}

func (f Facts) cloudformation(verb string, words ...string) string {
	return plain.Command(append(append([]string{"aws", "cloudformation", verb}, words...), "--region", f.Cluster.Region)...)
}

// stack is a name of a stack, which has letters, digits and hyphens, 128 at most (CloudFormation API reference, CreateStack).
func (f Facts) stack() string { return cutTo("vpc-cni-"+hyphenated(f.Cluster.Name), 128) }

// changeSetName is a name of a change set, to which the same holds. A stack has no two of a name.
func changeSetName(deed, version string) string { return cutTo(deed+"-"+hyphenated(version), 128) }

func hyphenated(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, s)
}

func cutTo(s string, most int) string { return s[:min(len(s), most)] }

// join is one part after the other.
func join(a, b Part) Part {
	return Part{Say: append(a.Say, b.Say...), Files: append(a.Files, b.Files...), Run: append(a.Run, b.Run...)}
}
