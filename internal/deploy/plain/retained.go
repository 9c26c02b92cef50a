package plain

import "encoding/json"

// Retained returns the part of [Login] that holds what outlives a stack: a new stack
// imports the table and the key with it, before the whole template is deployed.
func Retained() ([]byte, error) {
	var t object
	if err := json.Unmarshal(Login, &t); err != nil {
		return nil, err
	}
	all, _ := t["Resources"].(object)
	conditions, _ := t["Conditions"].(object)
	parameters, _ := t["Parameters"].(object)
	text, err := json.MarshalIndent(object{
		"AWSTemplateFormatVersion": t["AWSTemplateFormatVersion"],
		"Description":              "Gatehouse: table and signing key, to be imported",
		"Parameters":               object{"Service": parameters["Service"], "Stage": parameters["Stage"], "TableProtection": parameters["TableProtection"]},
		"Conditions":               object{"ProtectsTable": conditions["ProtectsTable"]},
		"Resources":                object{"Table": all["Table"], "SigningKey": all["SigningKey"]},
	}, "", "  ")
	return append(text, '\n'), err
}
