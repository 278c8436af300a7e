//! What the generators ask. Task texts of users go in at `{{NAME}}`.

/// Asks for a prompt that needs no variables.
pub(super) const RULE: &str = "Write a prompt for another language model. It has to do this task again and again:\n\
    <task_description>\n{{TASK_DESCRIPTION}}\n</task_description>\n\n\
    What the prompt contains:\n\
    - step by step instructions, in <instruction> tags, which also say that the answer is to be free of XML tags\n\
    - examples in <example> tags where they help, without tags inside them\n\
    - no <input> or <output> section and no variables: the user adds those\n\n\
    Write the prompt in the language of the task description, in at most 8000 characters, in Markdown. Answer with \
    the prompt and nothing else.\n";

/// Asks for a prompt with variables.
pub(super) const RULE_WITH_VARIABLES: &str = "Write a prompt for another language model. It has to do this task \
    again and again, each time with other input:\n<task_description>\n{{TASK_DESCRIPTION}}\n</task_description>\n\n\
    What the prompt contains:\n\
    - whatever changes from time to time as variables in double braces, named with letters, digits and underscores, \
    within <input> tags\n\
    - step by step instructions in <instruction> tags, which also say that the answer is to be free of XML tags\n\
    - examples in <example> tags where they help, without tags inside them\n\
    - the form of the answer in <output> tags\n\n\
    Write the prompt in the language of the task description, in at most 8000 characters, in Markdown. Answer with \
    the prompt and nothing else.\n";

/// Asks for the variables of a prompt.
pub(super) const VARIABLES: &str = "Below is a prompt in which variables stand in double braces.\n\
    <prompt>\n{{INPUT_TEXT}}\n</prompt>\n\n\
    List the names of its variables as a JSON array of strings, each once, in the order of the prompt, without \
    braces. Answer with the array and nothing else; [] if there are none.\n";

/// Asks for an opening statement.
pub(super) const OPENING: &str = "An assistant was made for this task:\n<task_description>\n{{TASK_DESCRIPTION}}\n\
    </task_description>\n\nand works by this prompt:\n<prompt>\n{{INPUT_TEXT}}\n</prompt>\n\n\
    Write the one or two friendly sentences with which it greets people, saying what it can do for them and what it \
    needs to know first. Use the language of the task description. Answer with the sentences and nothing else.\n";

/// Asks for code.
pub(super) const CODE: &str = "Write {{CODE_LANGUAGE}} code that does the following:\n<instructions>\n\
    {{INSTRUCTION}}\n</instructions>\n\n\
    Rules:\n\
    - One function called `main` is the entry. What it needs comes as its parameters, with types where the language \
    has them; what it finds goes back as {{RESULT}}.\n\
    - Use the language's standard library only. Read no files, open no connections, ask no user.\n\
    - Cope with empty and unexpected input.\n\
    - Answer with the code alone: no Markdown fences, no explanation before or after it.\n";

/// Asks for a JSON schema.
pub(super) const SCHEMA: &str = "You turn descriptions of data into JSON Schema.\n\n\
    Rules:\n\
    - The root is an object with \"properties\", \"required\" and \"additionalProperties\": false.\n\
    - Names of properties are short, in English snake case, unless the description names them.\n\
    - Use only the types string, number, boolean, object, array; give every property a \"description\"; use \"enum\" \
    where the description lists the possible values.\n\
    - What the description calls optional is left out of \"required\".\n\
    - Answer with the schema as JSON and nothing else: no Markdown, no comments.\n\n\
    Example. Description: \"A person's name and, if known, age.\" Answer:\n\
    {\"type\": \"object\", \"properties\": {\"name\": {\"type\": \"string\", \"description\": \"The person's name\"}, \
    \"age\": {\"type\": \"number\", \"description\": \"Age in years\"}}, \"required\": [\"name\"], \
    \"additionalProperties\": false}\n";

/// Asks for a better prompt; the user's message is JSON.
pub(super) const MODIFY_PROMPT: &str = "You improve prompts. You read JSON and you answer with JSON.\n\n\
    You get an object with\n\
    - current: the prompt as it is; what stands in double braces is filled in later and must stay as it is\n\
    - last_run: what happened when it was used last, or null\n\
    - instruction: what the user wants changed\n\
    - ideal_output: what the user would like the model to answer, or nothing\n\n\
    Answer with one object with\n\
    - modified: the whole prompt after the change, in the language of the current one\n\
    - message: a sentence or two to the user about what you changed, in the language of the instruction\n\n\
    Answer with the object and nothing else: no Markdown, no comments.\n";

/// Asks for better code; the user's message is JSON.
pub(super) const MODIFY_CODE: &str = "You improve code. You read JSON and you answer with JSON.\n\n\
    You get an object with\n\
    - current: the code as it is; its entry is the function `main`, which stays the entry\n\
    - last_run: what happened when it was run last, with its inputs and error, or null\n\
    - instruction: what the user wants changed\n\
    - ideal_output: what the user would like it to answer, or nothing\n\n\
    Answer with one object with\n\
    - modified: the whole code after the change, in the same programming language, with the standard library only\n\
    - message: a sentence or two to the user about what you changed, in the language of the instruction\n\n\
    Answer with the object and nothing else: no Markdown, no comments.\n";

/// What the console suggests to ask about a prompt.
pub const INSTRUCTION_FOR_PROMPT: &str = "With this prompt the model answered: {{#last_run#}}\nChange the prompt so that it answers like the ideal output.";

/// What the console suggests to ask about code.
pub const INSTRUCTION_FOR_CODE: &str =
    "Change the code so that this error does not happen: {{#error_message#}}";
