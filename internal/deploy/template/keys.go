package template

import (
	"errors"
	"slices"
	"strings"

	"github.com/gatehouse-auth/gatehouse/internal/deploy/fault"
	"github.com/gatehouse-auth/gatehouse/internal/schema"
)

// checkKMS wants an action on KMS to reach the keys of this stack alone. The tag
// gatehouse, with the name of the stack, says whose a key is.
func (t *Template) checkKMS(action string, s Value) error {
	equals := s.At("Condition", "StringEquals")
	tag := equals.At(tagOf(action))
	if tag.v == nil {
		return fault.New("role-keys", "action %s: only on keys with the tag gatehouse: add the condition", action)
	}
	if name := t.stackName(); name != "" && tag.Resolve(placeholder) != name {
		return fault.New("role-keys", "action %s: on keys of another stack, %s: want the tag gatehouse to be %s", action, tag.Resolve(placeholder), name)
	}
	var errs []error
	if action == "kms:CreateKey" || action == "kms:TagResource" {
		if !equals.At("kms:KeySpec").Is("RSA_2048") || !equals.At("kms:KeyUsage").Is("SIGN_VERIFY") {
			errs = append(errs, fault.New("role-keys", "action %s: only for keys that sign: add the conditions kms:KeySpec RSA_2048 and kms:KeyUsage SIGN_VERIFY", action))
		}
		if s.At("Condition", "ForAllValues:StringEquals", "aws:TagKeys").String() != `["gatehouse"]` {
			errs = append(errs, fault.New("role-keys", "action %s: any other tag could open the key to others: add the condition aws:TagKeys gatehouse", action))
		}
	}
	if action == "kms:TagResource" && !s.At("Condition", "Null", "aws:ResourceTag/gatehouse").Is("true") {
		errs = append(errs, fault.New("role-keys", "action kms:TagResource: could take over the key of another stage: add the condition Null, aws:ResourceTag/gatehouse: 'true'"))
	}
	if action == "kms:Sign" && !equals.At("kms:MessageType").Is("DIGEST") {
		errs = append(errs, fault.New("role-keys", "action kms:Sign: only of digests: add the condition kms:MessageType DIGEST"))
	}
	return errors.Join(errs...)
}

// tagOf names the tag by which a KMS action is limited: that of the key or, while
// it has none, that of the request.
func tagOf(action string) string {
	if action == "kms:CreateKey" || action == "kms:TagResource" {
		return "aws:RequestTag/gatehouse"
	}
	return "aws:ResourceTag/gatehouse"
}

// stackName is the name with which the functions of this stack count and tag, and
// "" in a template without our functions.
func (t *Template) stackName() string {
	for _, f := range t.Functions() {
		if name, ok := f.Env["GATEHOUSE_NAME"]; ok && f.Name == "authorizer" {
			return name.Resolve(placeholder)
		}
	}
	return ""
}

// placeholder is what a reference becomes in a text: as Fn::Sub writes it.
func placeholder(name, attribute string) string {
	return "${" + strings.TrimSuffix(name+"."+attribute, ".") + "}"
}

// owners are the packages whose rows each of our functions writes.
var owners = map[string][]string{
	"LoginsvcRole": {"usersvc", "loginsvc", "loginsvc/grant", "loginsvc/registry", "keys/keyring"}, // it makes the ring, where there is none
	"UsersvcRole":  {"usersvc"},
	"RotatorRole":  {"keys/keyring"},
}

// writes tells whether the function of a role writes rows of a partition.
func writes(role, partition string) bool {
	if role == "UsersvcRole" && kind(partition) == kind(schema.ClientPartition("")) {
		return false // only the login service and the command line change clients
	}
	return slices.ContainsFunc(schema.Rows(), func(r schema.Row) bool {
		return r.Key.PK == partition && slices.Contains(owners[role], r.Owner)
	})
}

// kind is what the partitions of one kind of row begin with.
func kind(partition string) string {
	before, _, _ := strings.Cut(partition, "#")
	return before
}

// writing are the actions with which a function changes rows.
var writing = []string{"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"}

// checkRows wants a statement that lets one of our functions write to name the
// partitions of the rows that it writes, and no others.
func checkRows(role string, s Value) error {
	if owners[role] == nil || !slices.ContainsFunc(s.At("Action").Strings(), func(a string) bool { return slices.Contains(writing, a) }) {
		return nil
	}
	patterns := leadingKeys(s)
	if len(patterns) == 0 {
		return fault.New("role-rows", "could write every row: add the condition dynamodb:LeadingKeys with the partitions of its own rows")
	}
	var errs []error
	for _, r := range schema.Rows() {
		partition := r.Key.PK
		i := slices.IndexFunc(patterns, func(p string) bool { return matches(p, partition) })
		switch own := writes(role, partition); {
		case i >= 0 && !own:
			errs = append(errs, fault.New("role-rows", "could write %s (%s), which is not its own: take %s out of dynamodb:LeadingKeys", partition, r.Name, patterns[i]))
		case i < 0 && own:
			errs = append(errs, fault.New("role-rows", "cannot write %s (%s): add it to dynamodb:LeadingKeys", partition, r.Name))
		}
	}
	return errors.Join(errs...)
}

// matches tells whether a pattern of IAM matches. Only a star at its end is one.
func matches(pattern, s string) bool {
	prefix, star := strings.CutSuffix(pattern, "*")
	return s == pattern || star && strings.HasPrefix(s, prefix)
}

// leadingKeys returns the partitions to which a statement is limited.
func leadingKeys(s Value) []string {
	for _, operator := range []string{"ForAllValues:StringLike", "ForAllValues:StringEquals"} {
		if keys := s.At("Condition", operator, "dynamodb:LeadingKeys"); keys.v != nil {
			return keys.Strings()
		}
	}
	return nil
}
