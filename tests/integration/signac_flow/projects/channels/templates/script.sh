{% extends base_script %}
{% block project_header %}
{{ super() }}
module load openfoam
{% for operation in operations %}
# queue: {{ operation.directives.queue|default('any', true) }}
{% endfor %}
{% endblock project_header %}
