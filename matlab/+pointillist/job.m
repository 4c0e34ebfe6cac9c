function info = job()
%JOB State point, document and paths of the job that this step runs for.
%   info = pointillist.job() gives a struct with the fields
%     id          the job's id, as text
%     statepoint  struct of the state point
%     document    struct of the job's document
%     paths       struct of paths: job, project, and inputs and outputs by name
%
%   Numbers are exact: whole numbers beyond 2^53 are int64 or uint64, all others
%   double. None of Python is [], a list of numbers a row, any other list a cell
%   row. A name that no struct field can have is made valid: each character but
%   letters, digits and _ becomes _, an x is put in front if it does not begin
%   with a letter, and _2, _3, ... behind it if the name is taken.
    file = getenv('POINTILLIST_JOB');
    if isempty(file)
        error('pointillist:job', ['pointillist.job: there is no job here, because ' ...
            'this code does not run in a step. It works in functions that ' ...
            '"python project.py run" calls.']);
    end
    if exist(file, 'file') == 0
        error('pointillist:job', 'pointillist.job: the file %s is gone; run the step again.', file);
    end
    info = struct();
    eval(fileread(file));
end
